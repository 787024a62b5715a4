"""Consent, erasure and access on a whole night of a small simulated service."""

import dataclasses
import json
import re
import shutil
from collections import defaultdict
from datetime import datetime, timedelta

import pyarrow.parquet as pq
import pytest

from matinee import features, pipeline, releases, report, warehouse
from matinee.errors import ConfigError, DataError, IntegrityError
from matinee.night.frame import PUBLISHED, read_frame
from matinee.privacy import Traces
from matinee.releases import non_profiled
from matinee.rights import consent, erase, member_search
from matinee.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def members(night_home):
    rows = warehouse.query("select * from members order by member_id", home=night_home)
    return {row["member_id"]: row for row in rows.to_pylist()}


@pytest.fixture(scope="module")
def settings(night_home, tmp_path_factory):
    """A home of one's own after a night; the tests that change it take other members each."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("privacy") / "home")
    return Settings(home=home)


@pytest.fixture(scope="module")
def slates(release):
    found = defaultdict(list)
    for part in release.slates():
        for row in part.to_pylist():
            found[row.pop("member_id")].append(row)
    return found


@pytest.fixture(scope="module")
def shown(night_home, members):
    """How often each asset was shown to whom on each closed day, counted anew from staging."""
    sql = """
        select cast(event_at as date) as shown_on, asset_id, member_id, count(*) as times
        from stg_playback__impressions
        where
            asset_id is not null
            and cast(received_at as date) <= cast(event_at as date) + 3
        group by all
    """
    found = defaultdict(dict)
    for row in warehouse.query(sql, home=night_home).to_pylist():
        if members[row["member_id"]]["may_use_for_insights"]:
            found[row["shown_on"], row["asset_id"]][row["member_id"]] = row["times"]
    return found


# ---------- consent


def test_no_training_row_is_of_a_member_who_refused(night_home, members):
    refused = {name for name, row in members.items() if not row["may_personalise"]}
    frame = read_frame(night_home / "work" / PUBLISHED)
    assert refused
    assert not refused & set(frame.members.ids.to_pylist())
    assert not refused & set(frame.signals["member_id"].to_pylist())


def test_members_who_refused_share_one_list_in_a_country_and_maturity_whatever_their_plan(
    members, slates, release
):
    lists = defaultdict(list)
    plans = defaultdict(set)
    for name, row in members.items():
        if not row["may_personalise"]:
            lists[row["country"], row["maximum_age"]].append(slates[name])
            plans[row["country"]].add(row["plan"])
    assert max(map(len, lists.values())) > 1
    assert max(map(len, plans.values())) > 1
    for same in lists.values():
        assert all(json.dumps(one) == json.dumps(same[0]) for one in same)
        assert {row["source"] for row in same[0]} == {"non_profiled"}


def test_every_member_has_a_list_for_all_equal_to_that_of_those_who_refused(
    members, slates, release
):
    for name, row in members.items():
        shown = non_profiled.read(release, name).drop_columns(["member_id"]).to_pylist()
        assert shown
        if not row["may_personalise"]:
            assert shown == slates[name]


def test_insights_count_only_members_who_allow_it(release, members, shown):
    told = release.table("artwork/asset_performance_daily.parquet").to_pylist()
    assert told
    for row in told:
        cell = shown[row["shown_on"], row["asset_id"]]
        assert row["member_count"] == len(cell)
        assert all(members[member]["may_use_for_insights"] for member in cell)


def test_a_refusal_holds_at_the_next_read_and_a_grant_takes_it_back(settings, members):
    name = next(name for name, row in members.items() if row["may_personalise"])
    before = pipeline.recommend(settings, name, k=5, release="live")
    pipeline.record_choice(settings, name, "personalisation", granted=False)
    refused = pipeline.recommend(settings, name, k=5, release="live")
    assert {row["source"] for row in refused} == {"non_profiled"}
    pipeline.record_choice(settings, name, "personalisation", granted=True)
    assert pipeline.recommend(settings, name, k=5, release="live") == before


def test_the_list_of_withdrawals_names_nobody_and_cannot_be_edited(settings, members):
    name = sorted(members)[-1]
    pipeline.record_choice(settings, name, "insights", granted=False)
    path = settings.home / consent.FILE
    text = path.read_text()
    assert not any(one in text for one in members)
    document = json.loads(text)
    document["since"]["insights"].popitem()
    path.write_text(json.dumps(document))
    with pytest.raises(IntegrityError, match="is not what was written: restore it"):
        consent.read(settings)
    path.write_text(text)
    assert consent.read(settings).includes(name, "insights")


def test_a_choice_of_nobody_or_on_nothing_is_refused(settings, members):
    with pytest.raises(ConfigError, match="knows no member 'nobody'"):
        pipeline.record_choice(settings, "nobody", "personalisation", granted=False)
    with pytest.raises(ConfigError, match="no purpose 'sale'; there are personalisation"):
        pipeline.record_choice(settings, sorted(members)[0], "sale", granted=False)


# ---------- access and transparency


def test_an_export_holds_every_row_with_what_it_is_used_for(settings, members, night_home):
    name = sorted(members)[3]
    held = pipeline.export(settings, name)
    count = "select count(*) as n from base_playback__plays where member_id = ?"
    staged = warehouse.query(count, [name], home=night_home).to_pylist()[0]["n"]
    assert len(held["received"].get("plays", {"rows": []})["rows"]) >= staged
    column = held["received"]["members"]["columns"]["birth_year"]
    assert column["personal_data"] == "sensitive"
    assert column["used_for"]
    assert held["published"]


def test_an_export_of_nobody_says_so(settings):
    with pytest.raises(DataError, match="nothing is held of member 'm-999999'"):
        pipeline.export(settings, "m-999999")


def test_a_statement_tells_of_tables_features_and_releases(settings, members, release):
    name = next(name for name, row in members.items() if row["may_personalise"])
    rows = pipeline.statement(settings, name)
    assert {"received", "table", "feature", "release"} <= {row["kind"] for row in rows}
    assert all(row["why"] and row["rows"] for row in rows)
    (shown,) = [row for row in rows if row["name"] == release.id]
    assert shown["why"].startswith("in the training data")


def test_the_public_parameters_and_their_page_are_those_of_the_registry(night_home, members):
    settings = Settings(home=night_home)
    told = pipeline.parameters(settings, "live")
    promise = features.promise(home=night_home, project=settings.project)
    assert told["features"]["registry_sha256"] == features.promise_sha256(promise)
    assert told["features"]["views"] == list(promise["views"])
    service = promise["services"][told["features"]["service"]]
    fields = {field for chosen in service.values() for field in chosen}
    for about in ("about_members", "about_titles"):
        assert {row["column"] for row in told[about]} <= fields
    used = {row["column"] for about in ("about_members", "about_titles") for row in told[about]}
    assert not {"birth_year", "gender", "query_text"} & (used | fields)
    page = report.parameters(told)
    assert used == set(re.findall(r"<td><code>(\w+)</code></td>", page))
    assert told["release"] in page
    assert "never used" in page
    assert not Traces.of(members).in_text(page.encode())


# ---------- what leaves the warehouse


def test_what_was_typed_into_the_search_is_in_no_file_of_a_release(night_home, release):
    sql = "select distinct query_text from stg_engagement__searches where length(query_text) > 7"
    titles = " ".join(release.titles()["name"].to_pylist()).lower()
    typed = [
        text
        for text in warehouse.query(sql, home=night_home)["query_text"].to_pylist()
        if text.lower() not in titles  # a title's own name is no secret
    ]
    assert typed
    for path in release.path.rglob("*.parquet"):
        table = pq.read_table(path)
        assert "query_text" not in table.column_names
        said = json.dumps(table.to_pylist(), default=str, ensure_ascii=False)
        assert not [text for text in typed if f'"{text}"' in said]


def released_aggregates(release):
    for folder in ("insights", "artwork", "retention"):
        for path in (release.path / folder).glob("*_daily.parquet"):
            yield path.name, pq.read_table(path)


def test_no_number_that_leaves_the_warehouse_is_of_fewer_than_twenty_members(release):
    told = 0
    for name, table in released_aggregates(release):
        for column in table.column_names:
            if column.endswith(("_count", "_seconds")):
                numbers = table[column].drop_null().to_pylist()
                assert all(number >= 20 for number in numbers), (name, column)
                told += len(numbers)
    assert told > 100


def test_no_member_makes_up_more_than_a_tenth_of_a_number(release, shown):
    told = release.table("artwork/asset_performance_daily.parquet").to_pylist()
    for row in told:
        times = shown[row["shown_on"], row["asset_id"]].values()
        is_dominated = max(times) * 10 > sum(times)
        assert row["impression_count"] == (None if is_dominated else sum(times))
    assert len([row for row in told if row["impression_count"]]) > 20


def test_no_day_is_told_before_it_is_closed(release):
    closed = datetime.fromisoformat(release.manifest["as_of"]).date() - timedelta(days=4)
    days = {day for _, table in released_aggregates(release) for day in table.column(0).to_pylist()}
    assert max(days) == closed


# ---------- erasure


def test_forgetting_leaves_nothing_in_any_file_and_releases_whole(settings, members):
    store = releases.Store.of(settings.home)
    old = store.open("live")
    name = old.manifest["samples"][0]
    other = old.manifest["samples"][1]
    receipt, path = pipeline.erase_members(settings, [name], by="test")
    assert receipt.left == {}
    assert receipt.control_found == receipt.control_planted
    assert {"landing", "received", "warehouse", "features", "feast", "releases"} <= set(
        receipt.found
    )
    assert not member_search.search(settings.home, Traces.of([name]))
    assert name not in path.read_text()

    fresh = store.open("live")
    assert fresh.manifest["reason"] == "erasure"
    assert fresh.manifest["supersedes"] == old.id
    assert not old.path.exists()
    store.verify("live")
    assert fresh.slate(other).equals(store.open("live").slate(other))
    assert not fresh.slate(name).num_rows
    rows = fresh.table("vocabulary/member_features.parquet").num_rows
    assert fresh.manifest["privacy"]["erased_members"] >= 1
    assert fresh.manifest["exposure"]["members"] == old.manifest["exposure"]["members"] - 1
    assert rows == len(_array(fresh, "member_embeddings"))
    people = fresh.table("vocabulary/members.parquet").num_rows
    assert people == len(_array(fresh, "member_matrix_indptr")) - 1
    assert [entry.action for entry in store.trail().entries()][-2:] == ["reissue", "remove"]


def test_a_night_after_forgetting_builds_all_sums_again(settings):
    assert (settings.home / "warehouse/stale").exists()


def test_no_receipt_is_given_by_a_search_that_is_blind_or_still_finds_somebody(settings):
    told = {field.name: [] for field in dataclasses.fields(erase.ErasureReceipt)}
    clean = erase.ErasureReceipt(**told | {"left": {}})
    found = {"landing/x.zip": 3}
    erase._require_complete(clean, {}, ["a", "b"], ["a", "b"])
    with pytest.raises(IntegrityError, match="the search did not see b, which was planted: do not"):
        erase._require_complete(clean, {}, ["a", "b"], ["a"])
    with pytest.raises(
        IntegrityError, match=r"x\.zip still names a member in 3 rows, or cannot be"
    ):
        erase._require_complete(
            dataclasses.replace(clean, left={"landing": 3}), found, ["a"], ["a"]
        )


def test_forgetting_nobody_is_refused(settings):
    with pytest.raises(ConfigError, match="name at least one member"):
        pipeline.erase_members(settings, [], by="test")
    with pytest.raises(ConfigError, match="' ' is no member id"):
        pipeline.erase_members(settings, ["m-000001", " "], by="test")


def _array(release, name):
    import numpy as np

    return np.load(release.path / f"model/{name}.npy", allow_pickle=False)
