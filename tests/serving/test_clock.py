"""The server's clock: the moment of receipt may be given only where the clock is simulated."""

from datetime import UTC, datetime, timedelta

import pytest

from matinee.serving.clock import FURTHEST, Clock

MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)


def test_a_simulated_clock_receives_events_when_their_client_says():
    clock = Clock.starting(MIDNIGHT)
    evening = MIDNIGHT + timedelta(hours=20)
    assert clock.received(evening) == evening


def test_no_event_is_received_before_the_clock():
    clock = Clock.starting(MIDNIGHT)
    assert clock.received(MIDNIGHT - timedelta(days=1)) >= MIDNIGHT
    assert clock.received(None) >= MIDNIGHT


def test_the_clock_of_the_machine_cannot_be_moved():
    with pytest.raises(ValueError, match="`at` is for a server that was started with --now"):
        Clock.starting(None).received(MIDNIGHT)


def test_a_moment_far_ahead_is_refused():
    with pytest.raises(ValueError, match="more than 400 days after the server's clock"):
        Clock.starting(MIDNIGHT).received(MIDNIGHT + FURTHEST + timedelta(hours=1))
