"""Consent, erasure and access on a whole night of a small simulated service."""

import json
import re
import shutil
from collections import defaultdict
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import features, pipeline, releases, report, warehouse
from matinee.errors import ConfigError, DataError, IntegrityError
from matinee.night.frame import PUBLISHED, read_frame
from matinee.privacy import Traces
from matinee.releases import non_profiled
from matinee.rights import consent, erase, member_search, withdrawals
from matinee.rights.search_files import Found
from matinee.settings import Settings


@pytest.fixture(scope="module")
def members(night_home):
    rows = warehouse.query("select * from members order by member_id", home=night_home)
    return {row["member_id"]: row for row in rows.to_pylist()}


@pytest.fixture(scope="module")
def settings(night_home, tmp_path_factory):
    """A copy of a home after a night; each test that changes it uses another member."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("privacy") / "home")
    return Settings(home=home)


@pytest.fixture(scope="module")
def slates(release):
    by_member = defaultdict(list)
    for part in release.slates():
        for row in part.to_pylist():
            by_member[row.pop("member_id")].append(row)
    return by_member


@pytest.fixture(scope="module")
def shown(night_home, members):
    """(day, asset) -> member -> impressions on closed days, counted from staging."""
    sql = """
        select cast(event_at as date) as shown_on, asset_id, member_id, count(*) as times
        from stg_playback__impressions
        where
            asset_id is not null
            and cast(received_at as date) <= cast(event_at as date) + 3
        group by all
    """
    cells = defaultdict(dict)
    for row in warehouse.query(sql, home=night_home).to_pylist():
        if members[row["member_id"]]["may_use_for_insights"]:
            cells[row["shown_on"], row["asset_id"]][row["member_id"]] = row["times"]
    return cells


# ---------- consent


def test_members_who_refused_are_not_in_the_training_data(night_home, members):
    refused = {name for name, row in members.items() if not row["may_personalise"]}
    frame = read_frame(night_home / "work" / PUBLISHED)
    assert refused
    assert not refused & set(frame.members.ids.to_pylist())
    assert not refused & set(frame.signals["member_id"].to_pylist())


def test_members_who_refused_have_one_list_per_country_and_maturity_limit(members, slates, release):
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


def test_every_member_has_the_non_profiled_list_of_those_who_refused(members, slates, release):
    for name, row in members.items():
        shown = non_profiled.read(release, name).drop_columns(["member_id"]).to_pylist()
        assert shown
        if not row["may_personalise"]:
            assert shown == slates[name]


def test_insights_count_only_members_who_allow_it(release, members, shown):
    rows = release.table("artwork/asset_performance_daily.parquet").to_pylist()
    assert rows
    for row in rows:
        cell = shown[row["shown_on"], row["asset_id"]]
        assert row["member_count"] == len(cell)
        assert all(members[member]["may_use_for_insights"] for member in cell)


def test_a_refusal_is_applied_at_the_next_read_and_a_grant_reverses_it(settings, members):
    name = next(name for name, row in members.items() if row["may_personalise"])
    before = pipeline.recommend(settings, name, k=5, release="live")
    pipeline.record_choice(settings, name, "personalisation", granted=False)
    refused = pipeline.recommend(settings, name, k=5, release="live")
    assert {row["source"] for row in refused} == {"non_profiled"}
    pipeline.record_choice(settings, name, "personalisation", granted=True)
    assert pipeline.recommend(settings, name, k=5, release="live") == before


def test_the_list_of_withdrawals_contains_no_id_and_cannot_be_edited(settings, members):
    name = sorted(members)[-1]
    pipeline.record_choice(settings, name, "insights", granted=False)
    path = settings.home / withdrawals.FILE
    text = path.read_text()
    assert not any(one in text for one in members)
    document = json.loads(text)
    document["since"]["insights"].popitem()
    path.write_text(json.dumps(document))
    with pytest.raises(IntegrityError, match="was changed by hand: restore it"):
        consent.read(settings)
    path.write_text(text)
    assert consent.read(settings).includes(name, "insights")


def test_a_choice_of_an_unknown_member_or_purpose_is_refused(settings, members):
    with pytest.raises(ConfigError, match="has no member 'nobody'"):
        pipeline.record_choice(settings, "nobody", "personalisation", granted=False)
    with pytest.raises(ConfigError, match="no purpose 'sale'; known purposes: personalisation"):
        pipeline.record_choice(settings, sorted(members)[0], "sale", granted=False)


# ---------- access and transparency


def test_an_export_has_every_row_and_its_purposes(settings, members, night_home):
    name = sorted(members)[3]
    exported = pipeline.export(settings, name)
    count = "select count(*) as n from base_playback__plays where member_id = ?"
    staged = warehouse.query(count, [name], home=night_home).to_pylist()[0]["n"]
    assert len(exported["received"].get("plays", {"rows": []})["rows"]) >= staged
    column = exported["received"]["members"]["columns"]["birth_year"]
    assert column["personal_data"] == "sensitive"
    assert column["used_for"]
    assert exported["published"]


def test_an_export_of_an_unknown_member_is_refused(settings):
    with pytest.raises(DataError, match="no data about member 'm-999999'"):
        pipeline.export(settings, "m-999999")


def test_a_statement_lists_tables_features_and_releases(settings, members, release):
    name = next(name for name, row in members.items() if row["may_personalise"])
    rows = pipeline.statement(settings, name)
    assert {"received", "table", "feature", "release"} <= {row["kind"] for row in rows}
    assert all(row["why"] and row["rows"] for row in rows)
    (shown,) = [row for row in rows if row["name"] == release.id]
    assert shown["why"].startswith("in the training data")


def test_the_public_parameters_and_their_page_match_the_registry(night_home, members):
    settings = Settings(home=night_home)
    parameters = pipeline.parameters(settings, "live")
    promise = features.promise(home=night_home, project=settings.project)
    assert parameters["features"]["registry_sha256"] == features.promise_sha256(promise)
    assert parameters["features"]["views"] == list(promise["views"])
    service = promise["services"][parameters["features"]["service"]]
    fields = {field for chosen in service.values() for field in chosen}
    for about in ("about_members", "about_titles"):
        assert {row["column"] for row in parameters[about]} <= fields
    used = {
        row["column"] for about in ("about_members", "about_titles") for row in parameters[about]
    }
    assert not {"birth_year", "gender", "query_text"} & (used | fields)
    page = report.parameters(parameters)
    assert used == set(re.findall(r"<td><code>(\w+)</code></td>", page))
    assert parameters["release"] in page
    assert "never used" in page
    assert not Traces.of(members).in_text(page.encode())


# ---------- what leaves the warehouse


def test_search_queries_are_in_no_file_of_a_release(night_home, release):
    sql = "select distinct query_text from stg_engagement__searches where length(query_text) > 7"
    titles = " ".join(release.titles()["name"].to_pylist()).lower()
    typed = [
        text
        for text in warehouse.query(sql, home=night_home)["query_text"].to_pylist()
        if text.lower() not in titles  # the name of a title is public
    ]
    assert typed
    for path in release.path.rglob("*.parquet"):
        table = pq.read_table(path)
        assert "query_text" not in table.column_names
        text = json.dumps(table.to_pylist(), default=str, ensure_ascii=False)
        assert not [query for query in typed if f'"{query}"' in text]


def released_aggregates(release):
    for folder in ("insights", "artwork", "retention"):
        for path in (release.path / folder).glob("*_daily.parquet"):
            yield path.name, pq.read_table(path)


def test_no_released_total_is_of_fewer_than_twenty_members(release):
    count = 0
    for name, table in released_aggregates(release):
        for column in table.column_names:
            if column.endswith(("_count", "_seconds")):
                numbers = table[column].drop_null().to_pylist()
                assert all(number >= 20 for number in numbers), (name, column)
                count += len(numbers)
    assert count > 100


def test_no_member_has_more_than_a_tenth_of_a_released_total(release, shown):
    rows = release.table("artwork/asset_performance_daily.parquet").to_pylist()
    for row in rows:
        times = shown[row["shown_on"], row["asset_id"]].values()
        is_dominated = max(times) * 10 > sum(times)
        assert row["impression_count"] == (None if is_dominated else sum(times))
    assert len([row for row in rows if row["impression_count"]]) > 20


def test_no_day_is_released_before_it_is_closed(release):
    closed = datetime.fromisoformat(release.manifest["as_of"]).date() - timedelta(days=4)
    days = {day for _, table in released_aggregates(release) for day in table.column(0).to_pylist()}
    assert max(days) == closed


# ---------- erasure


def test_an_erasure_removes_the_member_from_every_file_and_keeps_releases_valid(settings, members):
    store = releases.Store.of(settings.home)
    old = store.open("live")
    name = old.manifest["samples"][0]
    other = old.manifest["samples"][1]
    of_other = old.slate(other)
    weekly = settings.home / "insights/2026-01-26/insights"  # as the weekly flow leaves it
    weekly.mkdir(parents=True)
    table = pa.table({"member_id": [name, other], "segment": [1, 1]})
    pq.write_table(table, weekly / "segment_members.parquet")
    receipt, path = pipeline.forget(settings, [name], by="test")
    assert receipt.found["insights"] == 1  # the search knows the folder
    assert not weekly.exists()
    assert receipt.left == {}
    assert receipt.control_found == receipt.control_planted
    assert {"landing", "received", "warehouse", "features", "feast", "releases"} <= set(
        receipt.found
    )
    assert member_search.examine(settings.home, Traces.of([name])).found == {}
    assert receipt.mentions == {}
    assert name not in path.read_text()

    fresh = store.open("live")
    assert fresh.manifest["reason"] == "erasure"
    assert fresh.manifest["supersedes"] == old.id
    assert not old.path.exists()
    store.verify("live")
    assert fresh.slate(other).equals(of_other)
    assert not fresh.slate(name).num_rows
    rows = fresh.table("vocabulary/member_features.parquet").num_rows
    assert fresh.manifest["privacy"]["erased_members"] >= 1
    assert fresh.manifest["exposure"]["members"] == old.manifest["exposure"]["members"] - 1
    assert rows == len(_array(fresh, "member_embeddings"))
    member_count = fresh.table("vocabulary/members.parquet").num_rows
    assert member_count == len(_array(fresh, "member_matrix_indptr")) - 1
    assert [entry.action for entry in store.trail().entries()][-2:] == ["reissue", "remove"]

    # The next build sums their days again, and no more than these.
    assert warehouse.table("erased_days", home=settings.home).num_rows > 0
    assert not (settings.home / erase.STALE_MARKER).exists()


def test_no_receipt_is_written_if_the_search_misses_a_file_or_finds_a_member():
    nothing = member_search.Searched()
    erase._require_complete(nothing, ["a", "b"], ["a", "b"])
    with pytest.raises(IntegrityError, match="the search did not find the planted file b: do not"):
        erase._require_complete(nothing, ["a", "b"], ["a"])
    for found, message in (
        (Found(rows=3), "landing/x still names a member in 3 rows"),
        (Found(reason="it is bzip2"), "landing/x cannot be searched, for it is bzip2: remove it"),
    ):
        with pytest.raises(IntegrityError, match=message):
            erase._require_complete(member_search.Searched({"landing/x": found}), ["a"], ["a"])
    erase._require_complete(member_search.Searched({"x": Found(mentions=2)}), ["a"], ["a"])


def test_an_erasure_without_members_is_refused(settings):
    with pytest.raises(ConfigError, match="name at least one member"):
        pipeline.forget(settings, [], by="test")
    with pytest.raises(ConfigError, match="' ' is not a member id"):
        pipeline.forget(settings, ["m-000001", " "], by="test")


def _array(release, name):
    import numpy as np

    return np.load(release.path / f"model/{name}.npy", allow_pickle=False)
