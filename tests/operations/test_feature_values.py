"""`matinee features`: services, a frame without members who refuse, and online values."""

import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import features, pipeline
from matinee.errors import ConfigError, DataError
from matinee.releases import Store
from matinee.rights import consent
from matinee.settings import Settings

INSTANT = datetime(2026, 1, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings(night_home, tmp_path_factory):
    """A home in which the first member has refused personalisation after the night."""
    home = shutil.copytree(night_home, tmp_path_factory.mktemp("values") / "home")
    settings = Settings(home=home)
    refusing = samples(settings)[0]
    consent.record_choice(settings, refusing, "personalisation", granted=False)
    return settings


def samples(settings):
    return Store.of(settings.home).open("live").manifest["samples"]


def title(settings):
    return Store.of(settings.home).open("live").titles()["title_id"][0].as_py()


def test_each_entity_has_a_service_that_needs_its_key_alone(settings):
    keys = {}
    for row in pipeline.list_features(settings):
        keys.setdefault(row["service"], set()).add(row["key"])
    assert keys["member_v1"] == {"member_id"}
    assert keys["title_v1"] == {"title_id"}
    assert keys["member_title_v1"] == {"member_id", "title_id"}


def test_a_frame_has_each_pair_but_those_of_members_who_refuse(settings, tmp_path):
    refusing, other = samples(settings)[:2]
    pairs = {"member_id": [refusing, other], "title_id": [title(settings)] * 2}
    table = pa.table(pairs | {"event_timestamp": [INSTANT.replace(tzinfo=None)] * 2})
    pq.write_table(table, tmp_path / "pairs.parquet")
    done = pipeline.feature_frame(
        settings, "member_title_v1", tmp_path / "pairs.parquet", tmp_path / "frame.parquet"
    )
    assert (done.rows, done.refused) == (1, 1)
    frame = pq.read_table(tmp_path / "frame.parquet")
    assert frame["member_id"].to_pylist() == [other]
    assert {"member_profiles__country", "title_contents__genres"} <= set(frame.column_names)


def test_nothing_is_given_online_of_a_member_who_refuses(settings):
    refusing, other = samples(settings)[:2]
    with pytest.raises(ConfigError, match="refuses personalisation: nothing is given"):
        pipeline.online_features(settings, "member_v1", member=refusing)
    where = {"home": settings.home, "project": settings.project}
    (row,) = features.members_online([refusing], features="member_v1", **where).to_pylist()
    assert {name for name, value in row.items() if value is not None} == {"member_id"}
    with pytest.raises(ConfigError, match="name a member or a title"):
        pipeline.online_features(settings, "member_v1")
    pair = {"member": other, "title": title(settings)}
    both = pipeline.online_features(settings, "member_title_v1", **pair)
    assert both["member.country"]
    assert both["title.title_kind"]


def test_entities_without_an_instant_are_refused_with_their_columns(settings, tmp_path):
    pq.write_table(pa.table({"member_id": ["m"]}), tmp_path / "x.parquet")
    with pytest.raises(
        DataError, match=r"has no event_timestamp, the instant of each row: .*member_id"
    ):
        pipeline.feature_frame(settings, "member_v1", tmp_path / "x.parquet", tmp_path / "y")
    (tmp_path / "z").write_text("x")
    with pytest.raises(DataError, match="is no Parquet file"):
        pipeline.feature_frame(settings, "member_v1", tmp_path / "z", tmp_path / "y")
