"""What grows with an attacker's files is bounded, and what is published reveals no one member."""

import json
import resource
import subprocess
import sys
from dataclasses import replace
from datetime import date

import duckdb
import pyarrow as pa
import pytest

from matinee import pipeline, releases
from matinee.landing import intake
from matinee.night import validate
from matinee.settings import Settings
from matinee.validation.distributions import DISTRIBUTIONS, FEW, MOST_ROWS, STEP, compare
from tests.attacks import homes
from tests.attacks.commands import LONG
from tests.attacks.homes import STAYER, lines, play

# ---------- many files


@pytest.fixture
def zone(tmp_path):
    return homes.zone(tmp_path)


def test_many_small_files_do_not_wait_side_by_side(zone, monkeypatch):
    pieces, write = [], intake._Attempt._write

    def counted(attempt, chunk, format):
        pieces.append(max(column.num_chunks for column in chunk.columns))
        write(attempt, chunk, format)

    monkeypatch.setattr(intake._Attempt, "_write", counted)
    monkeypatch.setattr(intake, "MOST_TABLES", 8)
    for number in range(30):
        zone.land("plays", f"{number:02}.jsonl", lines([play(number, STAYER)]))
    receipt = zone.receive()
    assert homes.reasons(receipt) == {}
    assert max(pieces) <= 8
    assert len(zone.rows("plays", "event_id")) == 30
    assert {row[0] for row in zone.rows("plays", "file")} == {
        f"{homes.DAY}/{number:02}.jsonl" for number in range(30)
    }


RECEIVING = """
import resource, sys
from pathlib import Path
from matinee import landing
from tests.landing.conftest import ROOT, Zone
zone = Zone(Path(sys.argv[1]), landing.load(ROOT))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert not zone.receive().set_aside
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""

ROWS = 20_000 if LONG else 3_000


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_memory_does_not_grow_by_files_of_one_row(zone, tmp_path, format):
    for number in range(ROWS):
        row = play(number, f"m-{number}")
        text = ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n"
        content = lines([row]) if format == "jsonl" else text.encode()
        zone.land("plays", f"{number:05}.{format}", content)
    command = [sys.executable, "-c", RECEIVING, str(zone.home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    megabytes = int(done.stdout)
    assert megabytes < 110 + ROWS * 8 / 1024  # DuckDB itself, and 8 KB a file for the ledger
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1 << 20  # in KB


# ---------- histograms

DAY = date(2026, 1, 31)
PARAMETERS = {"first_day": date(2026, 1, 25), "last_day": DAY, "least": 20}


def week(members, rows=3, extra=()):
    """Tables of a week in which members have some plays each, on devices in turn."""
    devices = ("tv", "phone", "web")
    plays = [
        (f"m{n}", devices[n % 3], ("DE", "SE")[n % 2], hour)
        for n in range(members)
        for hour in range(rows)
    ]
    plays += list(extra)
    at = [f"2026-01-30T{hour % 24:02}:30:00" for *_, hour in plays]
    table = pa.table(
        {
            "member_id": [row[0] for row in plays],
            "title_id": ["t1"] * len(plays),
            "device": [row[1] for row in plays],
            "country": [row[2] for row in plays],
            "event_at": pa.array(at).cast(pa.timestamp("us")),
            "utc_offset_minutes": pa.array([0] * len(plays)),
            "landed_on": pa.array([DAY] * len(plays)),
            "watched_seconds": pa.array([600] * len(plays)),
            "runtime_seconds": pa.array([6000] * len(plays)),
            "rating_kind": ["stars"] * len(plays),
            "value": [7.0] * len(plays),
        }
    )
    everyone = sorted({row[0] for row in plays})
    members = {"member_id": everyone, "may_use_for_insights": [True] * len(everyone)}
    titles = {"title_id": ["t1"], "genres": [["Drama", "Crime"]], "runtime_seconds": [6000]}
    return {
        "stg_playback__plays": table,
        "stg_engagement__ratings": table,
        "members": pa.table(members),
        "titles": pa.table(titles),
    }


def histograms(tables):
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return {
            one.name: dict(
                connection.execute(
                    one.sql,
                    {name: value for name, value in PARAMETERS.items() if f"${name}" in one.sql},
                ).fetchall()
            )
            for one in DISTRIBUTIONS
        }


@pytest.mark.parametrize("rows", [1, 10, 500])
@pytest.mark.parametrize("device", ["tv", "an unknown device"])
def test_one_member_moves_no_bin_by_more_than_rounding_does(rows, device):
    before = histograms(week(90))
    after = histograms(week(90, extra=[("one", device, "SE", hour) for hour in range(rows)]))
    for name, bins in after.items():
        assert all(count % STEP == 0 for count in bins.values()), name
        for value in {*bins, *before[name]}:
            moved = bins.get(value, 0) - before[name].get(value, 0)
            assert abs(moved) <= STEP, (name, value)
    assert "an unknown device" not in after["device"]


def test_bins_of_many_members_keep_their_shares():
    bins = histograms(week(90))
    assert bins["device"] == {"phone": 180, "tv": 180, "web": 180}
    assert bins["genre"] == {"Crime": 540, "Drama": 540}
    assert sum(histograms(week(90, rows=100))["device"].values()) == 90 * MOST_ROWS
    assert FEW in histograms(week(90, extra=[("a", "x", "NO", 1)] * 30))["device"]


def test_a_week_like_the_last_is_no_drift_after_rounding():
    here, there = histograms(week(300)), histograms(week(280))
    assert all(check.success for check in compare(here, there))


@pytest.mark.parametrize("change", ["one more member", "one member less", "a better file"])
def test_a_second_release_of_a_day_says_what_the_first_said(finished, monkeypatch, change):
    night = pipeline.begin(Settings(home=finished))
    live = releases.Store.of(finished).open("live")
    published = live.json(validate.HISTOGRAMS)
    changed = json.loads(json.dumps(published))
    changed["distributions"]["device"] = {"one more member": 20, "one member less": 40}
    if change != "a better file":
        changed["distributions"]["device"] |= {"tv": 340}
    monkeypatch.setattr(validate, "histograms", lambda night: changed)
    assert validate.published_histograms(night) == (published, live.id)
    other = replace(night, as_of=night.as_of.replace(year=2030))
    assert validate.published_histograms(other) == (changed, None)
    rebuilt = replace(night, published_histograms=("an id", published))
    assert validate.published_histograms(rebuilt) == (published, "an id")


def test_what_a_first_release_said_is_taken_only_from_one_that_verifies(published, finished):
    night = replace(pipeline.begin(Settings(home=finished)), settings=Settings(home=published))
    live = releases.Store.of(published).open("live")
    (live.path / validate.HISTOGRAMS).write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validate, "histograms", lambda night: {"first_day": None})
        assert validate.published_histograms(night) == ({"first_day": None}, None)
