"""A folder named wrongly is set aside, moves no night, and is whole again under its right name."""

from datetime import date, timedelta

import pytest

from matinee import landing
from matinee.landing.days import misnamed
from tests.landing.samples import encode, good_row

FIRST = date(2026, 1, 2)
TODAY = date(2026, 6, 1)


def every(days, count, first=FIRST):
    return [first + timedelta(days=days * n) for n in range(count)]


def doubted(new, known=(), today=None, last_day=None):
    return misnamed(new, known, today=today, last_day=last_day)


def plays(contract, name):
    return encode([good_row(contract.streams["plays"]) | {"event_id": name}], "jsonl")


@pytest.fixture
def zone(zone, contract):
    """A home to which plays came on each of eight days."""
    for day in every(1, 8):
        zone.land("plays", "p.jsonl", plays(contract, str(day)), day=str(day))
    zone.receive()
    return zone


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("2036-01-09", "its day has not begun, for today is 2026-06-01 (UTC): rename its folder"),
        (
            "2026-02-10",
            "its day is 31 days after 2026-01-10, the newest before it: rename its folder, or, if"
            " it is the truth, run with `--as-of 2026-02-10`",
        ),
    ],
)
def test_a_misnamed_day_is_set_aside_alone_and_taken_in_once_it_is_renamed(
    zone, contract, day, reason
):
    path = zone.land("plays", "wrong.jsonl", plays(contract, "wrong"), day=day)
    zone.land("plays", "right.jsonl", plays(contract, "right"), day="2026-01-10")
    receipt = zone.receive(today=TODAY)
    assert [entry.file for entry in receipt.files] == ["plays/dt=2026-01-10/right.jsonl"]
    (entry,) = receipt.set_aside
    assert entry.reason == reason
    assert landing.landed_days(zone.home)[1] == date(2026, 1, 10)

    renamed = zone.home / "landing/plays/dt=2026-01-11"
    path.parent.rename(renamed)
    assert not zone.receive(today=TODAY).set_aside
    assert landing.landed_days(zone.home)[1] == date(2026, 1, 11)


def test_a_person_who_names_the_night_answers_for_a_long_silence(zone, contract):
    zone.land("plays", "late.jsonl", plays(contract, "late"), day="2026-03-01")
    assert zone.receive(today=TODAY, last_day=date(2026, 2, 28)).set_aside
    assert not zone.receive(today=TODAY, last_day=date(2026, 3, 1)).set_aside
    assert landing.landed_days(zone.home)[1] == date(2026, 3, 1)


def test_what_members_ask_for_counts_whatever_its_day_is(zone, contract):
    row = encode([good_row(contract.streams["consents"])], "jsonl")
    zone.land("consents", "c.jsonl", row, day="2036-01-01")
    assert not zone.receive(today=TODAY).set_aside


def test_a_silence_is_long_beside_the_ones_before():
    daily, weekly, monthly = every(1, 20), every(7, 20), every(30, 20)
    for days, allowed in ((daily, 7), (weekly, 14), (monthly, 60)):
        silences = {n: days[-1] + timedelta(days=n) for n in (allowed, allowed + 1)}
        assert not doubted([silences[allowed]], days)
        assert set(doubted([silences[allowed + 1]], days)) == {silences[allowed + 1]}


def test_a_long_history_that_lands_at_once_is_checked_and_a_short_one_is_not():
    leap = date(2027, 1, 2)
    assert set(doubted([*every(1, 8), leap])) == {leap}
    assert not doubted([*every(1, 6), leap])


def test_days_after_a_misnamed_one_are_held_to_the_true_ones():
    wrong, right = date(2026, 5, 2), FIRST + timedelta(days=8)
    assert set(doubted([wrong, right], every(1, 8))) == {wrong}


def test_a_day_that_was_received_is_not_doubted_later():
    known = [*every(1, 8), date(2026, 5, 1)]
    assert not doubted([date(2026, 5, 2)], known, today=date(2026, 4, 1) + timedelta(days=31))


@pytest.mark.parametrize(
    ("today", "before"),
    [
        (date(1970, 1, 1), "this program was written"),
        (date(2023, 12, 31), "this program was written"),
        (date(2026, 1, 8), "2026-01-09, a day that was received already"),
    ],
)
def test_a_clock_that_cannot_be_right_is_named_and_nothing_is_received(
    zone, contract, today, before
):
    zone.land("plays", "more.jsonl", plays(contract, "more"), day="2026-01-10")
    zone.land("plays", "late.jsonl", plays(contract, "late"), day="2026-01-09")
    (entry,) = zone.receive(today=today).set_aside
    assert entry.reason == (
        f"this machine's clock says {today}, which is before {before}: set the clock"
    )
    assert zone.receive(today=TODAY).set_aside == ()
