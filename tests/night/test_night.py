"""The whole night on a small simulated service: what is true of every release that goes live."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from matinee import landing, pipeline, releases, warehouse
from matinee.errors import ConfigError, RefusedError
from matinee.evaluation import splits
from matinee.landing import write
from matinee.night import fit, publish
from matinee.night.frame import EVALUATED, PUBLISHED, read_frame
from matinee.settings import Settings
from tests.conftest import SMALL


def rows(sql, home):
    return warehouse.query(sql, home=home).to_pylist()


def shown(release):
    """Every (member, title) of the slates."""
    return {
        (row["member_id"], row["title_id"]): row
        for part in release.slates()
        for row in part.to_pylist()
    }


def test_the_live_release_verifies(release, night_home):
    assert releases.Store.of(night_home).verify("live").release_id == release.id


def test_every_member_gets_a_slate(release, night_home):
    sql = "select member_id from members where not is_closed"
    assert {member for member, _ in shown(release)} == {
        row["member_id"] for row in rows(sql, night_home)
    }


def test_nothing_seen_comes_back_to_a_member_who_may_be_profiled(release, night_home):
    profiled = {
        row["member_id"]
        for row in rows("select member_id from members where may_personalise", night_home)
    }
    seen = {
        (row["member_id"], row["title_id"])
        for row in rows("select member_id, title_id from seen_titles", night_home)
        if row["member_id"] in profiled
    }
    assert seen
    assert not seen & shown(release).keys()


def test_no_retired_title_is_shown(release, night_home):
    retired = {
        row["title_id"] for row in rows("select title_id from titles where is_retired", night_home)
    }
    assert not retired & {title for _, title in shown(release)}


def test_no_title_is_shown_outside_its_window_or_above_a_maturity_limit(release, night_home):
    members = {row["member_id"]: row for row in rows("select * from members", night_home)}
    ages = {
        row["title_id"]: row["minimum_age"]
        for row in rows("select title_id, minimum_age from titles", night_home)
    }
    windows = {}
    for row in rows("select * from title_windows", night_home):
        windows.setdefault(row["title_id"], []).append(row)
    today = releases.Store.of(night_home).open("live").manifest["as_of"][:10]

    def is_open(window, country):
        starts, ends = window["starts_on"], window["ends_on"]
        return (
            window["country"] in (None, country)
            and (starts is None or str(starts) <= today)
            and (ends is None or today <= str(ends))
        )

    limited = [member for member in members.values() if member["maximum_age"] is not None]
    assert windows
    assert limited
    for member, title in shown(release):
        country, limit = members[member]["country"], members[member]["maximum_age"]
        mine = windows.get(title)
        assert mine is None or any(is_open(window, country) for window in mine)
        assert limit is None or ages[title] <= limit


def test_members_without_consent_are_in_no_training_data_and_in_no_personal_slate(
    release, night_home
):
    refused = {
        row["member_id"]
        for row in rows("select member_id from members where not may_personalise", night_home)
    }
    frame = read_frame(night_home / "work" / PUBLISHED)
    assert refused
    assert not refused & set(frame.members.ids.to_pylist())
    assert not refused & set(frame.signals["member_id"].to_pylist())
    sources = {row["source"] for (member, _), row in shown(release).items() if member in refused}
    assert sources == {"non_profiled"}


def test_every_reason_and_neighbour_names_a_title_or_feature_that_exists(release):
    catalogue = set(release.titles()["title_id"].to_pylist())
    neighbours = release.table("similar/part-0000.parquet")
    assert set(neighbours["similar_title_id"].to_pylist()) <= catalogue
    assert all(row["reason"] for row in shown(release).values())


def test_contributions_add_up_to_the_score(release):
    parts = release.table("reasons/part-0000.parquet")
    sums = parts.group_by(["member_id", "title_id"]).aggregate([("contribution", "sum")])
    scored = shown(release)
    assert len(sums)
    for row in sums.to_pylist():
        score = scored[row["member_id"], row["title_id"]]["score"]
        assert row["contribution_sum"] == pytest.approx(score, abs=1e-5)


def test_rows_received_are_kept_repeated_or_rejected(release):
    counts = release.manifest["received"]
    assert sum(row["rejected"] for row in counts) > 0
    for row in counts:
        assert row["received"] == row["kept"] + row["repeats"] + row["rejected"]


def without(home, member):
    """Take a member out of the newest snapshot of a home, which is not received yet."""
    (path,) = sorted((home / "landing/members").glob("dt=*"))[-1].iterdir()
    members = pq.read_table(path)
    left = members.filter(pc.not_equal(members["member_id"], member))
    assert left.num_rows == members.num_rows - 1
    pq.write_table(left, path)


def test_a_release_that_is_live_already_is_nothing_new(release, night_home):
    """tests/flows/test_scheduled.py has a night that publishes the content of one before it."""
    store, night = releases.Store.of(night_home), pipeline.begin(Settings(home=night_home))
    note = publish._name(store, release, night, ())
    assert note == f"nothing new: {release.id} is live and holds the same content"


def test_a_warm_night_of_new_logs_goes_on_from_live(copied, night, monkeypatch):
    """A member who is gone from the newest snapshot gets no slate, and teaches still."""
    store = releases.Store.of(copied)
    first = store.open("live").id
    # A cut in time for all that they are few, and after the first night, which must not know it.
    monkeypatch.setitem(splits.choose_protocol.__kwdefaults__, "minimum_test_members", 100)
    pipeline.simulate(copied, **SMALL | {"days": SMALL["days"] + 6})
    gone = store.open("live").manifest["samples"][0]
    without(copied, gone)
    monkeypatch.setenv("MATINEE_WARM_START", "true")
    second = night(copied)
    live = store.open("live")
    assert live.id == second.release_id != first
    assert store.open("previous").id == first
    assert store.verify("live").release_id == live.id
    assert live.manifest["model"]["continued_from"] == first
    assert live.manifest["model"]["hyperparameters"]["epochs"] == fit.WARM_EPOCHS
    evaluated = fit.load(pipeline.begin(Settings(home=copied)), EVALUATED)
    assert evaluated.model.hyperparameters.epochs == fit.WARM_EPOCHS
    assert gone not in {member for member, _ in shown(live)}
    assert gone not in live.manifest["samples"]
    assert gone in live.table("vocabulary/members.parquet")["member_id"].to_pylist()


@pytest.mark.attack
def test_a_night_whose_data_is_not_sane_stops_and_leaves_live_alone(copied, night):
    store = releases.Store.of(copied)
    first = store.open("live").id
    newest = pq.read_table(sorted((copied / "landing/titles").glob("dt=*"))[-1])
    day = pipeline.begin(Settings(home=copied)).as_of.date()  # the day after the newest
    write(copied, "titles", day, newest.slice(0, 1), "export-cut-short", "parquet")
    with pytest.raises(RefusedError):
        night(copied)
    assert store.open("live").id == first


def test_a_night_of_a_day_that_has_not_begun_is_refused(night_home):
    with pytest.raises(ConfigError, match=r"last day is 2999-01-01 and today is"):
        pipeline.begin(Settings(home=night_home), date(2999, 1, 1))


def test_because_you_watched_names_what_the_member_watched(release, night_home):
    titles = {row["title_id"]: row for row in release.titles().to_pylist()}
    watched = {}
    for row in rows("select member_id, title_id from seen_titles", night_home):
        watched.setdefault(row["member_id"], set()).add(titles[row["title_id"]]["name"])
    count = 0
    for (member, _), row in shown(release).items():
        if row["reason"].startswith("Because you watched "):
            named = re.findall(r"(.+?) \(\d{4}\)(?: and )?", row["reason"][20:])
            assert named
            assert set(named) <= watched[member], (member, row["reason"])
            count += 1
    assert count


def test_a_night_of_a_day_far_from_those_that_landed_is_refused(night_home):
    first, newest = landing.landed_days(night_home)
    for day in (first - timedelta(days=1), newest + timedelta(days=4)):
        with pytest.raises(ConfigError, match=f"is {day} and logs have landed from {first} to"):
            pipeline.begin(Settings(home=night_home), day)


@pytest.mark.attack
def test_a_night_of_an_older_day_publishes_but_moves_live_only_by_promote(copied, night):
    store = releases.Store.of(copied)
    live = store.open("live")
    newest = landing.landed_days(copied)[1]
    older = night(copied, last_day=newest - timedelta(days=2))
    assert f"is published and not live: live is as of {live.manifest['as_of'][:10]}" in older.note
    assert store.open("live").id == live.id
    again = pipeline.begin(Settings(home=copied), newest - timedelta(days=2))
    note = publish._name(store, store.open(older.release_id), again, ("it is worse",))
    assert "is refused, and no candidate: live is as of" in note
    assert store.aliases().candidate is None

    manifest = store.open(older.release_id).manifest
    days = {one["file"].split("dt=")[1][:10] for one in manifest["inputs"]}
    assert max(days) <= str(newest)
    rows = Counter()
    for one in manifest["inputs"]:
        rows[one["file"].split("/")[0]] += one["rows"]
    assert {row["stream"]: row["received"] for row in manifest["received"]} == rows

    at = datetime.now(UTC)
    store.promote(older.release_id, expected=live.id, at=at, by="ada", why="a test")
    assert store.open("live").id == older.release_id
