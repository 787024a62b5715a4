from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from matinee import features
from matinee.errors import ConfigError, DataError
from matinee.features import offline


def at(month, day, microsecond=0):
    return datetime(2026, month, day, microsecond=microsecond, tzinfo=UTC)


def play_count(where, member, instant):
    table = features.members_as_of(
        [member], instant, features=["member_activity_stats:play_count_7d"], **where
    )
    return table.column("play_count_7d").to_pylist()


def test_a_row_stamped_exactly_at_the_instant_counts_and_one_a_microsecond_later_does_not(
    where, export
):
    export(
        "member_activity_stats",
        {"member_id": "m1", "observed_at": at(1, 5), "play_count_7d": 1},
        {"member_id": "m1", "observed_at": at(1, 6), "play_count_7d": 2},
        {"member_id": "m2", "observed_at": at(1, 5), "play_count_7d": 3},
        {"member_id": "m2", "observed_at": at(1, 6, microsecond=1), "play_count_7d": 4},
    )
    assert play_count(where, "m1", at(1, 6)) == [2]
    assert play_count(where, "m2", at(1, 6)) == [3]
    assert play_count(where, "m1", at(1, 4)) == [None]


def test_a_frame_is_a_point_in_time_join_in_canonical_order(where, export):
    joined = date(2025, 5, 4)
    export(
        "member_profiles",
        {
            "member_id": "m1",
            "observed_at": at(1, 1),
            "country": "FR",
            "joined_on": joined,
        },
        {"member_id": "m1", "observed_at": at(1, 9), "country": "BE"},
        {"member_id": "m2", "observed_at": at(1, 1), "country": "DE"},
    )
    entities = pa.table(
        {
            "member_id": ["m2", "m1", "m3", "m1"],
            "event_timestamp": pa.array(
                [at(1, 2), at(1, 9), at(1, 2), at(1, 8)], pa.timestamp("us", tz="UTC")
            ),
        }
    )
    wanted = ["member_profiles:country", "member_profiles:joined_on"]
    assert features.frame(entities, wanted, **where).to_pylist() == [
        {
            "member_id": "m1",
            "event_timestamp": at(1, 8),
            "country": "FR",
            "joined_on": joined,
        },
        {"member_id": "m1", "event_timestamp": at(1, 9), "country": "BE", "joined_on": None},
        {"member_id": "m2", "event_timestamp": at(1, 2), "country": "DE", "joined_on": None},
        {"member_id": "m3", "event_timestamp": at(1, 2), "country": None, "joined_on": None},
    ]


def test_stats_expire_after_their_largest_window_and_profiles_never(where, export):
    export(
        "member_activity_stats", {"member_id": "m1", "observed_at": at(1, 1), "play_count_7d": 1}
    )
    export("member_profiles", {"member_id": "m1", "observed_at": at(1, 1), "country": "FR"})
    last = at(1, 1) + timedelta(days=97)
    assert play_count(where, "m1", last) == [1]
    assert play_count(where, "m1", last + timedelta(microseconds=1)) == [None]
    years = at(1, 1) + timedelta(days=9999)
    profile = features.members_as_of(["m1"], years, **where)
    assert profile.column("country").to_pylist() == ["FR"]


def test_a_service_gives_members_their_views_and_titles_theirs(where, export):
    export(
        "title_contents",
        {"title_id": "t1", "observed_at": at(1, 1), "genres": ["Drama"], "actors": []},
    )
    titles = features.titles_as_of(["t2", "t1"], at(1, 2), **where)
    assert titles.column("title_id").to_pylist() == ["t1", "t2"]
    assert titles.column("genres").to_pylist() == [["Drama"], None]
    assert titles.column("actors").to_pylist() == [[], None]
    assert "plan" not in titles.column_names
    assert "plan" in features.members_as_of(["m1"], at(1, 2), **where).column_names


def test_frames_of_both_entities_name_the_view_for_views_share_names(where):
    entities = pa.table(
        {
            "member_id": ["m1"],
            "title_id": ["t1"],
            "event_timestamp": pa.array([at(1, 1)], pa.timestamp("us", tz="UTC")),
        }
    )
    names = features.frame(entities, "homepage_v1", **where).column_names
    assert names[:3] == ["member_id", "event_timestamp", "title_id"]
    assert {"member_profiles__language", "title_contents__language"} <= set(names)


def test_no_entities_give_an_empty_frame_of_the_same_columns(where):
    empty = features.members_as_of([], at(1, 1), **where)
    assert empty.schema == features.members_as_of(["m1"], at(1, 1), **where).schema
    assert len(empty) == 0


def test_an_unknown_service_is_refused_and_the_known_ones_named(where):
    with pytest.raises(ConfigError, match=r"no feature service nope; .*homepage_v1, hybrid_"):
        features.members_as_of(["m1"], at(1, 1), features="nope", **where)


@pytest.mark.parametrize(
    ("reference", "known"),
    [("member_dayparts:noon_ratio", "afternoon_ratio"), ("nope:x", "member_dayparts")],
)
def test_an_unknown_feature_is_refused_and_the_known_ones_named(where, reference, known):
    with pytest.raises(ConfigError, match=rf"no feature {reference}; there are: .*{known}"):
        features.members_as_of(["m1"], at(1, 1), features=[reference], **where)


def test_a_naive_instant_is_refused(where):
    entities = pa.table({"member_id": ["m1"], "event_timestamp": [datetime(2026, 1, 1)]})  # noqa: DTZ001
    with pytest.raises(
        ConfigError,
        match=r"needs member_id or title_id and an aware event_timestamp, got .*timestamp\[us\]",
    ):
        features.frame(entities, "homepage_v1", **where)


def test_a_missing_table_is_named_with_what_builds_it(where):
    (where["home"] / "features" / "title_contents.parquet").unlink()
    with pytest.raises(DataError, match=r"no feature table .*title_contents.parquet: build it"):
        features.titles_as_of(["t1"], at(1, 1), **where)


def test_a_feature_file_is_read_through_once_and_again_when_it_is_written_anew(where, export):
    export("member_dayparts", {"member_id": "m1", "observed_at": at(1, 1), "evening_ratio": 0.5})
    requested = {"features": ["member_dayparts:evening_ratio"], **where}
    read = offline._read_through.cache_info().misses
    for _ in range(2):
        features.members_as_of(["m1"], at(1, 2), **requested)
    assert offline._read_through.cache_info().misses == read + 1
    nan = float("nan")
    export("member_dayparts", {"member_id": "m1", "observed_at": at(1, 1), "evening_ratio": nan})
    with pytest.raises(DataError, match="evening_ratio of member_dayparts is nan in 1 places"):
        features.members_as_of(["m1"], at(1, 2), **requested)


def test_what_feast_spills_stays_in_the_home(where):
    import ibis

    features.members_as_of(["m1"], at(1, 2), **where)
    (folder,) = ibis.get_backend().raw_sql("select current_setting('temp_directory')").fetchone()
    assert folder == str(where["home"].resolve() / "feast/.spill")
