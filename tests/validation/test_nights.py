"""Validation within whole nights: what stops one, what is published, and what the page shows."""

import json
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import pipeline, releases, warehouse
from matinee.errors import ExpectationError
from matinee.landing import write
from matinee.night import validate
from matinee.settings import Settings
from matinee.validation import DISTRIBUTIONS


def last_night(home):
    """The night of a home, once more."""
    return pipeline.begin(Settings(home=home))


def test_a_sound_night_breaks_nothing_and_its_first_has_nothing_to_be_compared_with(release):
    validation = release.manifest["validation"]
    assert validation["warnings"] == []
    assert validation["accepted"] == []
    assert validation["drift"] == {
        "verdict": "no live release to compare with: no verdict",
        "results": [],
    }
    results = release.json("validation/results.json")["results"]
    checked = {result["table"] for result in results}
    assert {"stg_playback__plays", "member_tastes", "frame_signals", "slates"} <= checked
    assert all(result["notes"] for result in results)


def test_distributions_are_published_without_ids_and_name_no_small_bin(release, night_home):
    document = release.json("validation/distributions.json")
    assert set(document["distributions"]) == {one.name for one in DISTRIBUTIONS}
    assert sum(document["distributions"]["device"].values()) > 0
    text = json.dumps(document)
    members = warehouse.query("select member_id from members", home=night_home)
    assert not [one for one in members["member_id"].to_pylist() if one in text]
    assert document["minimum_members"] == 20


def test_the_page_shows_the_night_in_words(release):
    page = (release.path / "report.html").read_text()
    assert "Each table, night by night" in page
    assert "✓ passed" in page
    assert "no live release to compare with: no verdict" in page


def spiked(home):
    """Twenty times the newest day's plays, a quiet day's, each with an id of its own."""
    newest = sorted((home / "landing/plays").glob("dt=*"))[-1]
    day = pipeline.begin(Settings(home=home)).as_of.date() - timedelta(days=1)
    plays = warehouse.query(
        "select * exclude (file, line, batch, landed_on) from stg_playback__plays "
        f"where landed_on = date '{day}'",
        home=home,
    )
    assert newest.name == f"dt={day}"
    for copy in range(19):
        ids = pa.array([f"{one}-{copy}" for one in plays["event_id"].to_pylist()])
        again = plays.set_column(plays.column_names.index("event_id"), "event_id", ids)
        write(home, "plays", day, again, f"again-{copy}", "parquet")


@pytest.mark.attack
@pytest.mark.slow
def test_ten_times_the_plays_stop_the_night_until_an_operator_accepts_them(copied, night):
    store = releases.Store.of(copied)
    first = store.open("live").id
    spiked(copied)
    with pytest.raises(
        ExpectationError,
        match=r"plays: .*`--accept-volume`\. All that was found is in .*stopped.html",
    ):
        night(copied)
    assert store.open("live").id == first
    left = (copied / "reports/stopped.html").read_text()
    assert "✗ stopped 1" in left
    assert "Far more rows landed than on a usual day" in left
    published = night(copied, accepted=frozenset({"volume"}))
    manifest = store.open(published.release_id).manifest
    assert manifest["validation"]["accepted"] == ["volume"]
    assert "far more" in " ".join(manifest["validation"]["passed_over"]).lower()
    page = (published.path / "report.html").read_text()
    assert "✗ accepted 1" in page
    assert "✗ stopped 1" in page  # the night before it, of the same day
    assert first in manifest["validation"]["drift"]["verdict"]

    # The word holds for these files, and for no other.
    standing = pipeline.validate(last_night(copied))
    standing.raise_if_stopped()
    assert standing.accepted == {"volume"}
    day = last_night(copied).last_day
    one_more = pq.read_table(next((copied / f"landing/plays/dt={day}").glob("again-0*")))
    ids = pa.array([f"{one}-more" for one in one_more["event_id"].to_pylist()])
    place = one_more.column_names.index("event_id")
    write(copied, "plays", day, one_more.set_column(place, "event_id", ids), "more", "parquet")
    with pytest.raises(ExpectationError, match=r"stg_playback__plays: .*`--accept-volume`"):
        night(copied)


def test_a_week_on_other_devices_is_a_drift_warning_against_the_live_release(copied):
    night = last_night(copied)
    tonight = validate.histograms(night)
    moved = dict.fromkeys(tonight["distributions"]["device"], 0) | {"fridge": 9_999}
    tonight["distributions"]["device"] = moved
    verdict, checks = validate.drift(night, tonight["distributions"])
    live = releases.Store.of(copied).open("live").id
    assert verdict == f"1 of {len(checks)} distributions are far from those of {live}"
    (far,) = [one for one in checks if not one.success]
    assert far.rule["column"] == "device"


def test_a_replay_sees_no_later_row_in_a_staged_table(copied):
    night = last_night(copied)
    early = replace(night, as_of=night.as_of - timedelta(days=3))

    def rows(night):
        found = pipeline.validate(night).results
        return next(one.observed for one in found if one.table == "stg_playback__plays")

    assert rows(early) < rows(night)
