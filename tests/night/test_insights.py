"""Weekly insights in a release: who is in them, what they add up to, and when they are carried."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from matinee import landing, pipeline, warehouse
from matinee.errors import DataError
from matinee.insights.attributes import Attributes
from matinee.night.insights import carry, demand, experience, momentum
from matinee.night.insights.analyses import ANALYSES, FILES
from matinee.night.insights.inputs import WEEKS, Inputs, closed_until
from matinee.night.night import begin
from matinee.operations import rebuild
from matinee.releases import Store
from matinee.settings import Settings

MINIMUM = 20


@pytest.fixture(scope="module")
def members(night_home):
    return {
        row["member_id"]: row for row in warehouse.table("members", home=night_home).to_pylist()
    }


def night_of(home, days=0):
    night = begin(Settings(home=home))
    return replace(night, as_of=night.as_of + timedelta(days=days))


def planned(home, days=0):
    return carry.plan(night_of(home, days), FILES, verified=None)


def test_a_release_has_every_table_as_part_of_its_content(release):
    digests = {one["file"]: one["content_sha256"] for one in release.manifest["files"]}
    assert all(digests[name] for name in (*FILES, carry.DOCUMENT))
    assert release.json(carry.DOCUMENT).keys() >= {one.name for one in ANALYSES}
    assert release.manifest["insights"]["is_carried"] is False


def test_only_members_who_allow_insights_and_personalisation_are_in_a_segment(release, members):
    segment = release.table("insights/segment_members.parquet")
    named = segment["member_id"].to_pylist()
    assert len(named) > 100
    assert named == sorted(set(named))
    assert all(
        members[one]["may_use_for_insights"] and members[one]["may_personalise"] for one in named
    )
    refused = {one for one, row in members.items() if not row["may_use_for_insights"]}
    assert len(refused) > 10  # control: there are members who refuse
    sizes = {row["values"]: row["counts"] for row in segment["segment"].value_counts().to_pylist()}
    described = release.table("insights/segments.parquet").to_pylist()
    assert sizes == {row["segment"]: row["member_count"] for row in described}
    assert len({row["name"] for row in described}) == len(described) >= 2


def test_every_cell_has_enough_members(release):
    for name in (
        "segments",
        "momentum",
        "demand",
        "narratives",
        "searches",
        "experience",
        "proxies",
    ):
        table = release.table(f"insights/{name}.parquet")
        assert not len(table) or pc.min(table["member_count"]).as_py() >= MINIMUM, name
        assert "member_id" not in table.column_names
    assert len(release.table("insights/momentum.parquet")) > 50


def test_hours_of_a_week_are_the_raw_seconds_of_members_who_allow_it(release, night_home):
    """To the second, from the staged logs and not from the tables between."""
    sql = """
        select cast(date_trunc('week', plays.event_at) as date) as week_on,
            sum(plays.watched_seconds)::bigint as seconds
        from stg_playback__plays as plays
        inner join members on plays.member_id = members.member_id
        where members.may_use_for_insights
            and cast(plays.received_at as date) <= cast(plays.event_at as date) + 3
        group by all
    """
    raw = {
        row["week_on"]: row["seconds"] for row in warehouse.query(sql, home=night_home).to_pylist()
    }
    rows = release.table("insights/momentum.parquet").to_pylist()
    (every,) = [row for row in rows if (row["family"], row["measure"]) == ("all", "hours")]
    assert round(every["level"] * 3600) == raw[every["week_on"]]
    weeks = [every["week_on"] - timedelta(days=7 * back) for back in range(WEEKS)][::-1]
    shown = [None if one is None else round(one * 3600) for one in every["weeks"]]
    assert [raw.get(week) for week, one in zip(weeks, shown, strict=True) if one] == [
        one for one in shown if one
    ]
    languages = [row for row in rows if (row["family"], row["measure"]) == ("language", "hours")]
    assert sum(row["level"] for row in languages) <= every["level"] + 1e-9


def test_a_week_is_looked_at_once_each_of_its_days_is_closed(night_home):
    """2026-01-30 was the last day; with three days of lateness the 27th is closed, a Tuesday."""
    assert night_of(night_home).as_of.date() == date(2026, 1, 31)
    assert closed_until(night_of(night_home)) == date(2026, 1, 26)
    assert closed_until(night_of(night_home, 4)) == date(2026, 1, 26)
    assert closed_until(night_of(night_home, 5)) == date(2026, 2, 2)


def test_the_next_night_carries_the_results_with_their_date_or_says_why_not(second_home):
    second, first = Store.of(second_home).list()[:2]
    facts = second.manifest["insights"]
    if not facts["is_carried"]:
        assert facts["because"] in ("a member refused since", "a member was erased since")
        return
    assert facts["of_release"] == first.id
    assert facts["as_of"] == first.manifest["insights"]["as_of"] < second.manifest["as_of"]
    for name in (*FILES, carry.DOCUMENT):
        assert (second.path / name).read_bytes() == (first.path / name).read_bytes()


def test_results_are_carried_within_a_week_and_computed_after_it(night_home):
    assert planned(night_home, 1).is_carried
    later = planned(night_home, 5)
    assert not later.is_carried
    assert later.because.endswith("of the weeks until 2026-01-26, now 2026-02-02")
    assert later.before is not None  # the new segments are matched with these


def test_who_refuses_leaves_the_results_at_the_next_night(copied, members):
    name = next(one for one, row in members.items() if row["may_use_for_insights"])
    pipeline.record_choice(Settings(home=copied), name, "insights", granted=False)
    assert planned(copied, 1).because == "a member refused since"
    pipeline.record_choice(Settings(home=copied), name, "insights", granted=True)
    assert planned(copied, 1).is_carried


def test_an_erasure_ends_the_carrying(copied, monkeypatch):
    monkeypatch.setattr(landing.tombstones, "newest", lambda home: "a new tombstone")
    assert planned(copied, 1).because == "a member was erased since"


def test_results_of_a_release_that_was_changed_are_not_carried(copied):
    (found,) = Store.of(copied).list()
    path = found.path / "insights/momentum.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    plan = planned(copied, 1)
    assert plan.before is None
    assert plan.because.startswith("the release before cannot be used: ")


def test_the_weekly_flow_leaves_results_that_the_next_night_carries(copied):
    night = night_of(copied, 5)
    (first,) = Store.of(copied).list()
    assert pipeline.compute_weekly(night_of(copied)) is None  # live has those of its week
    assert pipeline.compute_weekly(night) == date(2026, 2, 2)
    assert pipeline.compute_weekly(night) is None
    left = copied / carry.FOLDER / "2026-02-02"
    plan = planned(copied, 5)
    assert (plan.is_carried, plan.before.path) == (True, left)
    assert plan.because == "of 2026-02-05, from the weekly flow"
    assert planned(copied, 1).before.path != left  # an earlier night may not see it
    numbers = [
        set(pq.read_table(folder / "insights/segments.parquet")["segment"].to_pylist())
        for folder in (first.path, left)
    ]
    assert numbers[0] & numbers[1]  # segments keep their numbers
    (left / carry.DOCUMENT).unlink()
    assert not planned(copied, 5).is_carried


def test_a_rebuild_takes_carried_results_from_the_release_itself(night_home, release):
    store = Store.of(night_home)
    computed = rebuild._insights(store, release)
    assert (computed.is_carried, computed.before) == (False, None)
    facts = release.manifest["insights"] | {"is_carried": True}
    shown = replace_manifest(release, facts)
    assert rebuild._insights(store, shown).before.path == release.path
    gone = release.manifest["insights"] | {"content_digest": "0" * 64, "of_release": "R0"}
    with pytest.raises(DataError, match="were matched with those of R0, which is not in"):
        rebuild._insights(store, replace_manifest(release, gone))


def replace_manifest(release, insights):
    copy = type(release)(release.path)
    copy.__dict__["manifest"] = {**release.manifest, "insights": insights}
    return copy


def test_counts_are_finite(release):
    rows = release.table("insights/demand.parquet")
    for name in ("hours", "demand", "catalogue_ratio"):
        assert np.isfinite(rows[name].to_numpy()).all()
    shares = pc.max(rows["hours_ratio"]).as_py()
    assert 0 < shares <= 1


def inputs_of(home):
    night = night_of(home)
    (release,) = Store.of(home).list()
    return Inputs(night, None, release.path, None)


def test_logs_without_plays_give_empty_tables(night_home):
    inputs = inputs_of(night_home)
    inputs.__dict__["weeks"] = inputs.weeks.slice(0, 0)
    for analysis in (momentum, demand, experience):
        tables = analysis.compute(inputs).tables
        assert [len(table) for table in tables.values()] == [0] * len(tables)


def test_a_catalogue_without_any_attribute_still_has_totals(night_home):
    inputs = inputs_of(night_home)
    nothing = [[] for _ in range(len(inputs.titles))]
    families = ("genre", "theme", "narrative", "person", "language", "country")
    inputs.__dict__["attributes"] = Attributes.of(dict.fromkeys(families, nothing))
    rows = momentum.compute(inputs).tables[momentum.TABLE].to_pylist()
    assert {row["family"] for row in rows} == {"all"}
    assert len(demand.compute(inputs).tables[demand.TABLE]) == 0
    rates = experience.compute(inputs).tables[experience.TABLE]["measure"].to_pylist()
    assert "hours_per_member" in rates
