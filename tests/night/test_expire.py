"""Tables that lost rows night by night are the tables of what is left, built at once."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from matinee import landing, pipeline, warehouse
from matinee.errors import DataError
from matinee.operations.rebuild import collect_inputs
from matinee.settings import Settings
from tests.built_tables import differing, tables
from tests.night.test_reconcile import events_of, land

ROOT = Path(__file__).resolve().parents[2]
OLD = date(2023, 1, 1)
"""Three years before the nights: its first days leave one after the other."""
NIGHTS = [date(2026, 1, 2), date(2026, 1, 5)]


def night(home, last_day, *, full_refresh=False):
    """The steps from raw logs to tables; `build` holds rows received to rows staged."""
    settings = Settings(home=home, project=ROOT, memory_limit="1GB")
    pipeline.receive(settings, last_day=last_day)
    tonight = pipeline.begin(settings, last_day)
    expired = pipeline.drop_expired(tonight)
    pipeline.build(tonight, full_refresh=full_refresh)
    return expired


def land_day(home, day, *, resent=()):
    """A day's snapshots and events; `resent` has the events of an earlier day once more."""
    kinds = [("Drama", "Comedy")[(day.day + n) % 2] for n in range(5)]
    titles = [
        {"title_id": f"t{n}", "name": f"T{n}", "title_kind": "movie", "genres": [kind]}
        for n, kind in enumerate(kinds)
    ]
    land(home, "titles", day, [*titles, {**titles[0], "title_id": "later"}])
    land(
        home, "members", day, [{"member_id": f"m{n}", "joined_on": "2022-12-01"} for n in range(5)]
    )
    found = {"plays": [], "ratings": []}
    for stream, act in events_of(day):
        found[stream].append(act)
    for stream, act in resent:
        is_retry = act["event_id"].endswith("-1")
        retried = {"received_at": f"{datetime.combine(day, datetime.min.time())}"}
        found[stream].append(act | retried if is_retry else act)
    found["plays"].append({"event_id": f"no play of {day}"})
    for stream, rows in found.items():
        land(home, stream, day, rows)
    at = f"{day}T12:00:00Z"
    choice = {"purpose": "personalisation", "granted": False}
    land(
        home,
        "consents",
        day,
        [{"event_id": f"c{day}", "event_at": at, "received_at": at, "member_id": "m4", **choice}],
    )


@pytest.fixture(scope="module")
def dropped(tmp_path_factory):
    """A home whose oldest rows left on two nights, and the `Expired` of each night."""
    home = tmp_path_factory.mktemp("dropped") / "home"
    for day in (OLD + timedelta(days=n) for n in range(12)):
        land_day(home, day, resent=events_of(day - timedelta(days=4)))
    reports = []
    for last_day in NIGHTS:
        # Events that are about to leave, or left, are resent three years later.
        about = OLD + timedelta(days=(last_day - NIGHTS[0]).days + 3)
        land_day(home, last_day, resent=events_of(about))
        reports.append(night(home, last_day))
    return home, reports


def test_every_night_drops_the_days_that_have_passed(dropped):
    home, reports = dropped
    assert [
        {one.stream: (one.files, one.kept_from) for one in expired.streams}["plays"]
        for expired in reports
    ] == [(3, "2023-01-04"), (3, "2023-01-07")]
    landed = {path.name for path in (home / "landing/plays").iterdir()}
    assert min(landed) == "dt=2023-01-07"
    oldest = "select min(landed_on) as day from base_playback__plays"
    assert warehouse.query(oldest, home=home)["day"].to_pylist() == [date(2023, 1, 7)]


def test_tables_that_lost_rows_night_by_night_are_those_of_what_is_left(dropped):
    home, _ = dropped
    before = tables(home)
    night(home, NIGHTS[-1], full_refresh=True)
    assert differing(before, tables(home)) == []


def test_whose_refusal_was_dropped_with_a_newer_one_here_is_still_refused(dropped):
    home, _ = dropped
    sql = "select member_id from members where not may_personalise"
    assert warehouse.query(sql, home=home)["member_id"].to_pylist() == ["m4"]


def test_a_release_whose_logs_were_dropped_is_not_rebuilt_and_says_which(dropped, tmp_path):
    home, _ = dropped
    name = f"plays/dt={OLD}/part.jsonl"
    sha256 = landing.read_ledger(home).entries[name].sha256
    message = (
        rf"{name} has expired \(landed before 2023-01-04, .*\): the release cannot be rebuilt; a"
        r" release of a later night can"
    )
    with pytest.raises(DataError, match=message):
        collect_inputs(home, tmp_path, [{"file": name, "sha256": sha256}])
