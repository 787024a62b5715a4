"""Erasure cannot be undone, so a file of requests that nobody can have meant erases nobody."""

import json

import pytest
from typer.testing import CliRunner

from matinee import landing, pipeline
from matinee.cli import app
from matinee.errors import ConfigError
from matinee.settings import Settings
from tests.landing.conftest import ROOT
from tests.landing.samples import good_row

MEMBERS = [f"member-{n:03}" for n in range(100)]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def requests(contract, members, kind="erase"):
    row = good_row(contract.streams["privacy_requests"])
    return lines(
        row | {"event_id": f"r-{name}", "request_id": f"r-{name}", "member_id": name, "kind": kind}
        for name in members
    )


def land(zone, *, members=MEMBERS):
    row = good_row(zone.contract.streams["plays"])
    played = [row | {"event_id": f"p-{name}", "member_id": name} for name in members]
    zone.land("plays", "p.jsonl", lines(played))


def test_requests_of_more_than_one_in_twenty_members_are_set_aside_and_the_rest_goes_on(zone):
    land(zone)
    zone.land("privacy_requests", "many.jsonl", requests(zone.contract, MEMBERS[:6]))
    receipt = zone.receive()
    (aside,) = receipt.set_aside
    assert (aside.rows, aside.batch) == (0, None)
    assert aside.reason == (
        "6 of 100 members ask to be erased at once, more than one in 20, and nothing brings them"
        " back: take the file away, or, if they did ask, run again with `--accept-erasures`"
    )
    assert {entry.stream for entry in receipt.files} == {"plays", "titles"}
    assert landing.requested(zone.home) == frozenset()
    assert zone.receive().set_aside == (aside,)
    taken = zone.receive(accept_erasures=True)
    assert (taken.set_aside, len(landing.requested(zone.home))) == ((), 6)


def test_requests_spread_over_files_and_days_are_counted_together(zone):
    land(zone)
    for n in range(6):
        sent = requests(zone.contract, MEMBERS[n : n + 1])
        zone.land("privacy_requests", "one.jsonl", sent, day=f"2026-01-0{n + 1}")
    assert len(zone.receive().set_aside) == 6


@pytest.mark.parametrize(
    ("members", "count", "kind"),
    [
        (100, 5, "erase"),  # one in twenty
        (99, 99, "erase"),  # too few to say what is many
        (100, 100, "export"),  # which harms nobody
    ],
)
def test_requests_within_bounds_are_taken_in(zone, members, count, kind):
    land(zone, members=MEMBERS[:members])
    sent = requests(zone.contract, MEMBERS[:count], kind)
    zone.land("privacy_requests", "few.jsonl", sent)
    assert zone.receive().set_aside == ()


def test_too_many_requests_erase_no_member_until_an_operator_accepts_them(zone):
    land(zone)
    zone.land("privacy_requests", "many.jsonl", requests(zone.contract, MEMBERS[:6]))
    settings = Settings(home=zone.home, project=ROOT, memory_limit="1GB")
    plays = zone.home / "landing/plays/dt=2026-01-02/p.jsonl"
    before = plays.read_bytes()
    pipeline.receive(settings)
    assert plays.read_bytes() == before
    assert not (zone.home / "privacy/tombstones.jsonl").exists()
    pipeline.receive(settings, accepted=frozenset({"volume"}))
    assert plays.read_bytes() == before
    pipeline.receive(settings, accepted=frozenset({"erasures"}))
    assert b"member-005" not in plays.read_bytes()
    assert b"member-006" in plays.read_bytes()


@pytest.mark.parametrize("option", ["--accept-volume", "--accept-erasures"])
def test_what_is_accepted_is_accepted_for_one_night(option):
    result = CliRunner().invoke(app, ["run", "--from", "2026-01-01", option])
    assert isinstance(result.exception, ConfigError)
    assert f"{option} is for one night: not with --from" in str(result.exception)
