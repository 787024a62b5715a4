import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import releases
from matinee.releases import SLATE_SCHEMA
from tests.releases.samples import GREEN, RED, fields, publish


def publish_lists(store, lists, minutes, *, names=None, **more):
    rows = [
        {"member_id": member, "rank": rank, "title_id": title, "source": "hybrid"}
        for member, titles in sorted(lists.items())
        for rank, title in enumerate(titles, start=1)
    ]
    with store.draft() as draft:
        releases.write_slates(draft.path, [pa.Table.from_pylist(rows, schema=SLATE_SCHEMA)])
        if names:
            (draft.path / "vocabulary").mkdir()
            titles = pa.table({"title_id": list(names), "name": list(names.values())})
            pq.write_table(titles, draft.path / "vocabulary/titles.parquet")
        return store.publish(draft, fields(minutes, **more))


def test_overlap_is_the_common_share_of_the_longer_list(store):
    old = publish_lists(store, {"a": "pqrs", "b": "pq", "gone": "p"}, 0)
    new = publish_lists(store, {"a": "srxy", "b": "pqrs", "fresh": "p"}, 1)
    difference = store.diff(old.id, new.id)
    assert difference.overlap_at_10 == pytest.approx((2 / 4 + 2 / 4) / 2)
    assert difference.member_count == 2
    assert (difference.members_gained, difference.members_lost) == (1, 1)


def test_movers_are_the_titles_whose_places_changed_most(store):
    old = publish_lists(store, {"a": "pq", "b": "pq", "c": "pr"}, 0, names={"p": "Gone"})
    new = publish_lists(store, {"a": "qr", "b": "qr", "c": "qr"}, 1, names={"r": "Robots"})
    assert store.diff(old.id, new.id).movers == [
        {"title_id": "p", "name": "Gone", "before": 3, "after": 0, "change": -3},
        {"title_id": "r", "name": "Robots", "before": 1, "after": 3, "change": 2},
        {"title_id": "q", "name": None, "before": 2, "after": 3, "change": 1},
    ]


def test_places_after_the_tenth_are_ignored(store):
    old = publish_lists(store, {"a": "abcdefghijX"}, 0)
    new = publish_lists(store, {"a": "abcdefghijY"}, 1)
    difference = store.diff(old.id, new.id)
    assert difference.overlap_at_10 == 1.0
    assert difference.movers == []


def test_overlap_is_null_without_common_members(store):
    old, new = publish_lists(store, {"a": "p"}, 0), publish_lists(store, {"b": "p"}, 1)
    assert store.diff(old.id, new.id).overlap_at_10 is None


def test_verdicts_features_and_numbers_that_differ_are_listed(store):
    old = publish(store, gate=GREEN)
    new = publish(store, shift=1, minutes=1, gate=RED)
    difference = store.diff(old.id, new.id)
    assert difference.gate == [{"rule": "coverage", "before": None, "after": False}]
    (metric,) = difference.metrics
    assert metric["change"] == pytest.approx(1.0)
    assert metric["is_clear"]
    changed = {row["file"]: row["change"] for row in difference.files}
    assert changed == dict.fromkeys(
        ["slates/part-0000.parquet", "evaluation/metrics.parquet"], "changed"
    )


def test_a_new_feature_service_is_listed_and_missing_metrics_give_no_rows(store):
    old = publish_lists(store, {"a": "p"}, 0, features={"service": "v1"})
    new = publish_lists(store, {"a": "q"}, 1, features={"service": "v2", "count": 3})
    difference = store.diff(old.id, new.id)
    assert difference.features == [
        {"name": "count", "before": None, "after": 3},
        {"name": "service", "before": "v1", "after": "v2"},
    ]
    assert difference.metrics == []


def test_a_release_does_not_differ_from_itself(store):
    release = publish(store)
    difference = store.diff(release.id, release.id)
    assert difference.overlap_at_10 == 1.0
    assert difference.movers == difference.gate == difference.features == difference.files == []
    assert not difference.metrics[0]["is_clear"]
