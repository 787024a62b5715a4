"""A search by the index opens the files that may hold a member; a full search confirms it."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from matinee import features, landing
from matinee.landing import member_index
from matinee.privacy import Traces
from matinee.rights import audit, erase, member_search
from matinee.settings import Settings
from tests.rights.conftest import LEAVER, ROOT, STAYER, lines, play

OTHER = "m-000099"
ALONE = "plays/dt=2026-01-05/alone.jsonl"


@pytest.fixture
def settings(zone, monkeypatch):
    """A home of which no store but the logs is there, and a file without the leaver."""
    monkeypatch.setattr(features, "erase", lambda **_: None)
    zone.land("plays", "alone.jsonl", lines([play(50, OTHER)]), day="2026-01-05")
    zone.receive()
    return Settings(home=zone.home, project=ROOT)


@pytest.fixture
def opened(monkeypatch):
    """Names of the files that a search opened."""
    names = []
    search = member_search.FileSearch.search

    def recorded(self, path, name):
        names.append(name)
        return search(self, path, name)

    monkeypatch.setattr(member_search.FileSearch, "search", recorded)
    return names


def ask(zone, member, day="2026-01-06"):
    row = play(f"r-{member}", member) | {"request_id": f"r-{member}", "kind": "erase"}
    del row["title_id"], row["watched_seconds"]
    zone.land("privacy_requests", "ask.jsonl", lines([row]), day=day)
    receipt = zone.receive()
    assert landing.requested(zone.home) == {member}
    return {entry.file for entry in receipt.set_aside}


def searched_fully(zone, days_ago=0):
    at = datetime.now(UTC) - timedelta(days=days_ago)
    audit.confirm(zone.home, at)


def receipts(zone):
    return [json.loads(one.read_text()) for one in sorted(zone.home.glob("reports/erasures/*"))]


def test_only_files_that_may_hold_the_member_are_opened(zone, settings, opened):
    searched_fully(zone)
    ask(zone, LEAVER)
    receipt = erase.erase_requested(settings)
    assert (receipt.search, receipt.confirmed_at, receipt.left) == ("index", None, {})
    assert receipt.control_found == receipt.control_planted > 0
    assert "landing/plays/dt=2026-01-02/a.jsonl" in opened
    assert f"landing/{ALONE}" not in opened
    assert "landing/titles/dt=2026-01-02/t.jsonl" not in opened
    assert not [name for name in opened if name.startswith("received/plays/batch=000002")]
    assert member_search.search(zone.home, Traces.of([LEAVER])) == {}
    assert OTHER in zone.rows("plays", "member_id")


def test_the_first_search_is_full_and_so_is_one_after_a_week(zone, settings, opened):
    ask(zone, LEAVER)
    assert erase.erase_requested(settings).search == "full"
    assert f"landing/{ALONE}" in opened
    searched_fully(zone, days_ago=8)
    ask(zone, STAYER, day="2026-01-07")
    assert erase.erase_requested(settings).search == "full"


@pytest.mark.parametrize("why", ["not listed", "set aside", "changed", "another key"])
def test_a_file_that_the_index_cannot_speak_for_is_opened(zone, settings, opened, why):
    searched_fully(zone)
    if why == "not listed":
        (zone.home / member_index.FOLDER / "batch-000002.parquet").unlink()
    elif why == "set aside":
        zone.land("plays", "alone.jsonl.sha256", b"0" * 64, day="2026-01-05")
        shutil.rmtree(zone.home / "received")
        shutil.rmtree(zone.home / member_index.FOLDER)
    elif why == "changed":
        (zone.home / "landing" / ALONE).write_bytes(lines([play(50, OTHER), play(51, LEAVER)]))
    else:
        (zone.home / member_index.KEY).unlink()
    unsettled = ask(zone, LEAVER)
    assert erase.erase_requested(settings, unsettled=unsettled).search == "index"
    assert f"landing/{ALONE}" in opened
    assert member_search.search(zone.home, Traces.of([LEAVER])) == {}


def test_a_provisional_receipt_is_confirmed_by_the_next_full_search(zone, settings):
    searched_fully(zone)
    ask(zone, LEAVER)
    erase.erase_requested(settings)
    searched_fully_at = json.loads((zone.home / audit.LAST).read_text())["at"]
    assert erase.erase_requested(settings) is None
    assert [one["confirmed_at"] for one in receipts(zone)] == [None]
    old = datetime.fromisoformat(searched_fully_at) - timedelta(days=7)
    (zone.home / audit.LAST).write_text(json.dumps({"at": old.isoformat()}))
    assert erase.erase_requested(settings) is None
    (receipt,) = receipts(zone)
    assert (receipt["search"], receipt["found_again"]) == ("index", [])
    assert receipt["confirmed_at"] is not None
    assert LEAVER not in json.dumps(receipt)


def test_a_full_search_erases_what_the_index_did_not_know_of(zone, settings):
    searched_fully(zone)
    ask(zone, LEAVER)
    erase.erase_requested(settings)
    (zone.home / "landing" / ALONE).write_bytes(lines([play(50, OTHER), play(51, LEAVER)]))
    searched = datetime.now(UTC) - timedelta(days=7)
    (zone.home / audit.LAST).write_text(json.dumps({"at": searched.isoformat()}))
    again = erase.erase_requested(settings)
    assert (again.search, again.found) == ("full", {"landing": 1})
    first, second = receipts(zone)
    assert first["found_again"] == first["tombstones"] == second["tombstones"]
    assert member_search.search(zone.home, Traces.of([LEAVER])) == {}


def test_a_full_search_that_cannot_read_a_file_confirms_nothing(zone, settings):
    searched_fully(zone)
    ask(zone, LEAVER)
    erase.erase_requested(settings)
    (zone.home / "reports/x.zip").write_bytes(b"PK\x03\x04")
    audit_at = datetime.now(UTC) - timedelta(days=7)
    (zone.home / audit.LAST).write_text(json.dumps({"at": audit_at.isoformat()}))
    assert erase.erase_requested(settings) is None
    (receipt,) = receipts(zone)
    assert receipt["confirmed_at"] is None
    assert receipt["not_confirmed"] == (
        "reports/x.zip cannot be searched, for it is a zip archive, which is not opened"
    )


def test_the_index_holds_no_id_and_forgets_the_erased(zone, settings):
    files = sorted((zone.home / member_index.FOLDER).glob("*.parquet"))
    assert len(files) == 2
    assert not any(LEAVER.encode() in one.read_bytes() for one in files)
    assert member_index.read(zone.home).holding([LEAVER]) == {
        f"{stream}/dt=2026-01-02/{name}"
        for stream, name in [
            ("members", "m.parquet"),
            ("plays", "a.jsonl"),
            ("plays", "b.jsonl.gz"),
            ("plays", "c.jsonl"),
            ("searches", "s.csv"),
        ]
    }
    member_index.forget(zone.home, [LEAVER])
    index = member_index.read(zone.home)
    assert index.holding([LEAVER]) == frozenset()
    assert index.holding([OTHER]) == {ALONE}
    assert set(index.files) >= {ALONE, "plays/dt=2026-01-02/b.jsonl.gz"}
