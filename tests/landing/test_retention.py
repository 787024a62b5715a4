"""What is past its retention leaves, what still holds stays, and nothing comes back."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from matinee import landing
from matinee.errors import StorageError
from tests.landing.samples import good_row

TODAY = datetime(2026, 1, 10, tzinfo=UTC)
"""The instant of the night: all of the 9th counts."""

DAYS = {"plays": 1095, "impressions": 395, "searches": 90}


def ago(days):
    """The day that many days before the night's instant."""
    return (TODAY - timedelta(days=days)).date().isoformat()


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def row(contract, stream, **said):
    return good_row(contract.streams[stream]) | said


def drop(zone, as_of=TODAY):
    return landing.drop(
        home=zone.home, contract=zone.contract, as_of=as_of, threads=2, memory_limit="1GB"
    )


def ledger(zone):
    return landing.read_ledger(zone.home).entries


@pytest.fixture
def zone(zone, contract):
    """A home that has plays of today, so that nothing is missing."""
    zone.land("plays", "today.jsonl", lines(row(contract, "plays")), day=ago(1))
    return zone


def test_a_row_is_kept_as_long_as_the_shortest_lived_of_its_columns(contract):
    assert {name: contract.streams[name].retention_days for name in DAYS} == DAYS
    assert contract.streams["plays"].rejected_retention_days == 90


@pytest.mark.parametrize(("stream", "days"), DAYS.items())
def test_the_last_day_of_retention_is_kept_and_the_day_before_is_dropped(
    zone, contract, stream, days
):
    for age in (days, days + 1):
        zone.land(stream, f"{age}.jsonl", lines(row(contract, stream)), day=ago(age))
    zone.receive()
    (dropped,) = drop(zone).streams
    assert (dropped.stream, dropped.files, dropped.rows, dropped.kept_from) == (
        stream,
        1,
        1,
        ago(days),
    )
    files = {file for (file,) in zone.rows(stream, "file")}
    assert f"{stream}/dt={ago(days)}/{days}.jsonl" in files
    assert f"{stream}/dt={ago(days + 1)}/{days + 1}.jsonl" not in files
    assert not (zone.home / "landing" / stream / f"dt={ago(days + 1)}").exists()
    gone = ledger(zone)[f"{stream}/dt={ago(days + 1)}/{days + 1}.jsonl"]
    assert (gone.status, gone.rows, gone.dropped) == ("dropped", 0, 1)
    assert gone.reason == f"landed before {ago(days)}, the first day that is kept"


def test_a_batch_of_many_days_keeps_the_rows_of_the_days_that_stay(zone, contract):
    for age in (1, 1090, 1096, 2000):
        zone.land("plays", f"{age}.jsonl", lines(row(contract, "plays")), day=ago(age))
    zone.receive()
    drop(zone)
    assert (zone.home / "received/plays/batch=000000/empty.parquet").exists()
    assert sorted(day.isoformat() for (day,) in zone.rows("plays", "landed_on")) == [
        *(ago(1090), ago(1), ago(1))
    ]


def test_a_drop_is_reported_once_and_counts_no_row_twice(zone, contract):
    zone.land("plays", "old.jsonl", lines(row(contract, "plays"), {"event_id": 1}), day=ago(1096))
    zone.receive()
    first = drop(zone)
    assert first.summary() == (
        f"plays: dropped 1 files with 2 rows that landed before {ago(1095)},"
        f" and 0 rejected rows of before {ago(90)}"
    )
    assert drop(zone) == landing.Expired((), ())


# ---------- what is dropped does not come back


def test_a_dropped_file_that_lands_again_is_not_received_and_is_reported(zone, contract):
    name = f"plays/dt={ago(1096)}/old.jsonl"
    content = lines(row(contract, "plays"))
    zone.land("plays", "old.jsonl", content, day=ago(1096))
    zone.receive()
    drop(zone)
    zone.land("plays", "old.jsonl", content + content, day=ago(1096))
    receipt = zone.receive()
    assert (receipt.files, receipt.set_aside, receipt.batch) == ((), (), None)
    assert receipt.warnings == (
        f"not received again, for it was dropped past its retention: {name}",
    )
    drop(zone)
    assert not (zone.home / "landing" / name).exists()


def test_the_number_of_a_batch_whose_files_are_all_dropped_is_never_given_again(zone, contract):
    zone.receive()
    zone.land("plays", "old.jsonl", lines(row(contract, "plays")), day=ago(1096))
    assert zone.receive().batch == 2
    drop(zone)
    zone.land("plays", "new.jsonl", lines(row(contract, "plays")), day=ago(2))
    assert zone.receive().batch == 3


def test_a_file_that_was_set_aside_is_dropped_too(zone):
    path = zone.land("plays", "torn.parquet", b"PAR1 and no more", day=ago(1096))
    assert len(zone.receive().set_aside) == 1
    drop(zone)
    assert not path.exists()
    assert zone.receive().set_aside == ()


# ---------- rejected rows


def test_a_rejected_row_leaves_before_the_file_it_came_from(zone, contract):
    both = lines(row(contract, "plays"), {"event_id": "no more than an id"})
    old = zone.land("plays", "old.jsonl", both, day=ago(91))
    zone.land("plays", "new.jsonl", both, day=ago(90))
    zone.receive()
    (dropped,) = drop(zone).streams
    assert (dropped.files, dropped.rejected_rows, dropped.rejected_kept_from) == (0, 1, ago(90))
    assert old.exists()
    entry = ledger(zone)[f"plays/dt={ago(91)}/old.jsonl"]
    assert (entry.status, entry.rows, entry.kept, entry.rejected) == ("received", 1, 1, 0)
    assert zone.rows("rejected_plays", "file") == [(f"plays/dt={ago(90)}/new.jsonl",)]
    assert len(zone.rows("plays")) == 3


def test_what_is_replayed_after_a_drop_is_what_is_left(zone, contract):
    both = lines(row(contract, "plays"), {"event_id": "no more than an id"})
    for age in (90, 91):
        zone.land("plays", "a.jsonl", both, day=ago(age))
    zone.receive()
    drop(zone)
    options = {"streams": ["plays"], "threads": 2, "memory_limit": "1GB"}
    replayed = landing.replay(home=zone.home, contract=zone.contract, **options)
    assert (sum(replayed.rules["plays"].values()), replayed.left) == (1, {})


# ---------- what still holds


def test_the_newest_snapshot_is_never_dropped(zone, contract):
    for age in (3000, 2000):
        zone.land("titles", "a.jsonl", lines(row(contract, "titles")), day=ago(age))
        zone.land("members", "a.jsonl", lines(row(contract, "members")), day=ago(age))
    zone.receive()
    dropped = {one.stream: one for one in drop(zone).streams}
    assert (dropped["titles"].kept_from, dropped["titles"].files) == (
        ago(1095),
        2,
    )  # one is of the 2nd
    assert (dropped["members"].kept_from, dropped["members"].files) == (ago(2000), 1)
    assert [day.isoformat() for (day,) in zone.rows("members", "landed_on")] == [ago(2000)]


def choice(contract, age, member, granted, **said):
    at = f"{ago(age)}T12:00:00Z"
    named = {"event_id": f"{member}-{age}", "member_id": member, "purpose": "insights"}
    made = {"event_at": at, "received_at": at, "granted": granted}
    return row(contract, "consents", **named, **made, **said)


def test_a_refusal_holds_however_old_until_the_member_says_something_else(zone, contract):
    for age, member in ((3000, "ann"), (2000, "bob"), (1500, "cy")):
        refused = lines(choice(contract, age, member, granted=False))
        zone.land("consents", "a.jsonl", refused, day=ago(age))
    again = lines(choice(contract, 5, "ann", granted=True))
    zone.land("consents", "b.jsonl", again, day=ago(5))
    zone.receive()
    (dropped,) = drop(zone).streams
    assert (dropped.stream, dropped.kept_from, dropped.files) == ("consents", ago(2000), 1)
    assert sorted(name for (name,) in zone.rows("consents", "member_id")) == ["ann", "bob", "cy"]


def test_a_choice_of_after_the_night_does_not_replace_one_that_holds_on_it(zone, contract):
    old = choice(contract, 1500, "ann", granted=True)
    zone.land("consents", "a.jsonl", lines(old), day=ago(1500))
    new = choice(contract, 5, "ann", granted=True)
    zone.land("consents", "b.jsonl", lines(new), day=ago(5))
    zone.receive()
    assert drop(zone, TODAY - timedelta(days=10)).streams == ()
    (dropped,) = drop(zone).streams
    assert (dropped.kept_from, dropped.files) == (ago(1095), 1)


# ---------- nights of the past


def test_days_are_counted_from_the_night_and_not_from_the_clock(zone, contract):
    zone.land("plays", "old.jsonl", lines(row(contract, "plays")), day=ago(1096))
    zone.receive()
    assert drop(zone, TODAY - timedelta(days=1)) == landing.Expired((), ())


def test_a_past_night_reports_what_a_later_one_has_dropped(zone, contract):
    zone.land("plays", "old.jsonl", lines(row(contract, "plays")), day=ago(1096))
    zone.receive()
    drop(zone)
    assert drop(zone, TODAY - timedelta(days=1)).warnings == (
        f"plays: 1 files that landed from {ago(1096)} to {ago(1096)} were dropped past their"
        " retention by a later night: this one does not see them",
    )


# ---------- crashes


@pytest.mark.parametrize("left", ["landing", "received", "landing received"])
def test_what_a_crash_after_the_ledger_left_is_dropped_by_the_next_night(
    zone, contract, tmp_path, left
):
    """The ledger is written first; these are the states that a crash can leave behind it."""
    for age in (1, 1096):
        zone.land("plays", f"{age}.jsonl", lines(row(contract, "plays")), day=ago(age))
    zone.receive()
    before = shutil.copytree(zone.home, tmp_path / "before")
    drop(zone)
    after = files_of(zone.home)
    for folder in left.split():
        shutil.copytree(before / folder, zone.home / folder, dirs_exist_ok=True, ignore=but_ledger)
    assert files_of(zone.home) != after
    zone.receive()
    assert drop(zone).streams == ()
    assert files_of(zone.home) == after


def files_of(home):
    return {
        path.relative_to(home): pq.read_table(path, partitioning=None)
        if path.suffix == ".parquet"
        else path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "keys" not in path.parts
    }


def but_ledger(folder, names):
    return [name for name in names if name == "ledger.jsonl"]


def test_a_disk_that_cannot_be_written_is_a_storage_error(zone, contract):
    zone.land("plays", "old.jsonl", lines(row(contract, "plays")), day=ago(1096))
    zone.receive()
    (zone.home / "received/.ledger.jsonl.new").mkdir()  # where the ledger is drafted
    with pytest.raises(StorageError, match="make room or mend the access, then run again"):
        drop(zone)
