"""A request to erase an id that no member has erases nothing and stops nothing else."""

import json

import pytest

from matinee import landing
from tests.landing.samples import good_row
from tests.landing.test_requests import land, lines, requests

RULE = {"unknown_member": 2}


def asking(zone, *members, name="ask.jsonl"):
    zone.land("privacy_requests", name, requests(zone.contract, members))


@pytest.mark.parametrize(
    "words", [("Comedy", "titles"), ("t1", "member-0"), ("member-001-kids", "x")]
)
def test_an_id_that_no_member_has_is_rejected_with_its_rule_and_the_others_are_erased(zone, words):
    land(zone)
    asking(zone, "member-007", *words)
    receipt = zone.receive()
    assert receipt.set_aside == ()
    assert receipt.rules["privacy_requests"] == RULE
    assert landing.requested(zone.home) == {"member-007"}
    (entry,) = [one for one in receipt.files if one.stream == "privacy_requests"]
    assert (entry.rows, entry.kept, entry.rejected) == (3, 1, 2)
    rows = zone.rows("rejected_privacy_requests", "line, rule, raw_text")
    assert [row[:2] for row in rows] == [(2, "unknown_member"), (3, "unknown_member")]
    assert [json.loads(row[2])["member_id"] for row in rows] == list(words)
    (warning,) = receipt.warnings
    assert warning == (
        "privacy_requests: 2 requests to erase ids that no member has are rejected, the first"
        " privacy_requests/dt=2026-01-02/ask.jsonl line 2"
    )
    assert zone.receive().files == ()


def test_more_unknown_ids_than_the_setting_stop_the_requests_and_no_other_stream(zone):
    land(zone)
    nobody = [f"nobody-{n:02}" for n in range(21)]
    asking(zone, "member-007", *nobody)
    receipt = zone.receive()
    (aside,) = receipt.set_aside
    assert aside.reason.startswith(
        "it asks to erase 21 ids that no member has, more than 20 (MATINEE_UNKNOWN_REQUESTS): take"
    )
    assert {entry.stream for entry in receipt.files} == {"plays", "titles"}
    assert landing.requested(zone.home) == frozenset()
    assert len(zone.rows("plays", "line")) == 100
    again = zone.receive(most_unknown=21)
    assert (again.set_aside, landing.requested(zone.home)) == ((), {"member-007"})


def test_a_member_of_rejected_rows_or_of_a_file_set_aside_exists(zone):
    row = good_row(zone.contract.streams["plays"])
    broken = lines([row | {"member_id": "broken-1", "event_at": "never"}])
    zone.land("plays", "a.jsonl", broken + b'{"member_id": "cut-1", "title\n')
    waiting = zone.land("plays", "b.jsonl", lines([row | {"member_id": "waiting-1"}]))
    waiting.with_name("b.jsonl.sha256").write_text("0" * 64)
    asking(zone, "broken-1", "cut-1", "waiting-1", "nobody-1", "published-1")
    zone.receive(is_known=lambda one: one.startswith("published"))
    assert landing.requested(zone.home) == {"broken-1", "cut-1", "waiting-1", "published-1"}


def test_a_request_to_export_is_not_looked_up(zone):
    land(zone)
    zone.land("privacy_requests", "e.jsonl", requests(zone.contract, ["nobody"], kind="export"))
    assert zone.receive().rules["privacy_requests"] == {}
