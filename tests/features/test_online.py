from datetime import UTC, datetime, timedelta

import pytest

from matinee import features
from matinee.errors import DataError, IntegrityError


def at(month, day, hour=0):
    return datetime(2026, month, day, hour, tzinfo=UTC)


def row(member, observed_at, count):
    return {"member_id": member, "observed_at": observed_at, "play_count_7d": count}


def night(where, as_of, progress=None):
    return features.materialise(as_of=as_of, lateness_days=3, progress=progress, **where)


def counts(where, *members):
    table = features.members_online(
        members, features=["member_activity_stats:play_count_7d"], **where
    )
    return dict(zip(*table.to_pydict().values(), strict=True))


def test_a_first_night_takes_every_row_however_old(where, export):
    export("title_contents", {"title_id": "t1", "observed_at": datetime(1998, 4, 1, tzinfo=UTC)})
    assert night(where, at(1, 10)).written["title_contents"] == 1


def test_every_kind_of_value_comes_back_online_as_it_is_offline(where, export):
    export(
        "member_tastes",
        {"member_id": "m1", "observed_at": at(1, 1), "genres": ["é", "<b>"], "people": []},
        {"member_id": "m2", "observed_at": at(1, 1), "genre_affinities": [0.1, 0.333333]},
    )
    export(
        "member_profiles",
        {
            "member_id": "m1",
            "observed_at": at(1, 1),
            "is_kids": True,
            "maximum_age": 12,
            "joined_on": datetime(1969, 7, 20, tzinfo=UTC).date(),
        },
        {"member_id": "m2", "observed_at": at(1, 1)},
    )
    export(
        "title_popularity_stats",
        {"title_id": "t1", "observed_at": at(1, 1), "mean_rating": 7.25, "play_count_7d": 2**40},
        {"title_id": "t2", "observed_at": at(1, 1)},
    )
    night(where, at(1, 2))
    members, titles = ["m1", "m2", "m3"], ["t1", "t2", "t3"]
    past = {"features": "homepage_v1", **where}
    offline = features.members_as_of(members, at(1, 2), **past).drop_columns("event_timestamp")
    assert features.members_online(members, **where).equals(offline)
    offline = features.titles_as_of(titles, at(1, 2), **past).drop_columns("event_timestamp")
    assert features.titles_online(titles, **where).equals(offline)
    assert features.assert_online_equals_offline(as_of=at(1, 2), **where) > 50


def test_a_late_event_that_changes_an_old_row_reaches_the_online_store(where, export):
    export("member_activity_stats", row("m1", at(1, 8), 1), row("m2", at(1, 9), 5))
    night(where, at(1, 10))
    export("member_activity_stats", row("m1", at(1, 8), 2), row("m2", at(1, 9), 5))
    night(where, at(1, 11))
    assert counts(where, "m1", "m2") == {"m1": 2, "m2": 5}
    assert features.assert_online_equals_offline(as_of=at(1, 11), **where)


def test_a_row_withdrawn_from_the_window_is_replaced_by_the_older_one(where, export):
    export("member_activity_stats", row("m1", at(1, 1), 1), row("m1", at(1, 9), 9))
    night(where, at(1, 10))
    export("member_activity_stats", row("m1", at(1, 1), 1))
    night(where, at(1, 11))
    assert counts(where, "m1") == {"m1": 1}


def test_a_row_rebuilt_long_before_the_window_reaches_the_online_store(where, export):
    """A consent withdrawal changes the counts of titles that have no event since."""
    export("member_activity_stats", row("m1", at(1, 1), 13), row("m2", at(1, 9), 5))
    night(where, at(1, 30))
    export("member_activity_stats", row("m1", at(1, 1), 12), row("m2", at(1, 9), 5))
    night(where, at(1, 31))
    assert counts(where, "m1", "m2") == {"m1": 12, "m2": 5}


def test_a_night_killed_before_its_watermark_is_done_again(where, export):
    export("member_activity_stats", row("m1", at(1, 1), 1))
    night(where, at(1, 10))
    export("member_activity_stats", row("m1", at(1, 1), 2))

    def killed(done, total, view):
        if view == "member_dayparts":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        night(where, at(1, 11), progress=killed)
    night(where, at(1, 11))
    assert counts(where, "m1") == {"m1": 2}
    assert features.assert_online_equals_offline(as_of=at(1, 11), **where)


def test_a_row_after_as_of_waits_for_its_night(where, export):
    export("member_activity_stats", row("m1", at(1, 9), 1), row("m1", at(1, 10, 1), 2))
    night(where, at(1, 10))
    assert counts(where, "m1") == {"m1": 1}
    night(where, at(1, 11))
    assert counts(where, "m1") == {"m1": 2}


def test_a_member_gone_at_the_source_is_gone_online_and_from_the_file(where, export):
    export("member_activity_stats", row("m1", at(1, 9), 1), row("erase-me", at(1, 9), 2))
    night(where, at(1, 10))
    online = where["home"] / "feast" / "online.db"
    assert b"erase-me" in online.read_bytes()
    export("member_activity_stats", row("m1", at(1, 9), 1))
    assert night(where, at(1, 11)).deleted["member_activity_stats"] == 1
    assert counts(where, "m1", "erase-me") == {"m1": 1, "erase-me": None}
    assert b"erase-me" not in online.read_bytes()


def test_an_expired_row_is_deleted_online_as_it_is_null_offline(where, export):
    export("member_activity_stats", row("m1", at(1, 1), 1))
    night(where, at(1, 1) + timedelta(days=97))
    assert counts(where, "m1") == {"m1": 1}
    later = at(1, 1) + timedelta(days=98)
    assert night(where, later).deleted["member_activity_stats"] == 1
    assert counts(where, "m1") == {"m1": None}
    assert features.assert_online_equals_offline(as_of=later, **where)


def test_an_older_night_is_skipped_with_a_reason(where, export):
    export("member_activity_stats", row("m1", at(1, 5), 1), row("m1", at(1, 9), 2))
    night(where, at(1, 10))
    skipped = night(where, at(1, 6)).skipped_because
    assert "is at 2026-01-10T00:00Z, later than 2026-01-06T00:00Z" in skipped
    assert "To go back, delete" in skipped
    assert counts(where, "m1") == {"m1": 2}


def test_a_lost_online_store_is_filled_again(where, export):
    export("member_activity_stats", row("m1", at(1, 1), 1))
    night(where, at(1, 10))
    (where["home"] / "feast" / "online.db").unlink()
    features.apply(**where)
    night(where, at(1, 11))
    assert counts(where, "m1") == {"m1": 1}


def test_the_same_night_twice_changes_nothing(where, export):
    export("member_activity_stats", row("m1", at(1, 1), 1), row("m1", at(1, 10), 2))
    assert night(where, at(1, 10)) == night(where, at(1, 10))
    assert counts(where, "m1") == {"m1": 2}


def test_progress_names_each_view_and_ends_full(where):
    seen = []
    night(where, at(1, 10), progress=lambda *step: seen.append(step))
    assert seen[0] == (0, 7, "member_activity_stats")
    assert seen[-1] == (7, 7, "title_popularity_stats")


def test_a_tampered_value_is_found_and_named(where, export):
    export("member_activity_stats", row("m1", at(1, 9), 1))
    night(where, at(1, 10))
    export("member_activity_stats", row("m1", at(1, 9), 3))
    with pytest.raises(IntegrityError, match=r"online play_count_7d of member_id m1 is 1, but 3"):
        features.assert_online_equals_offline(as_of=at(1, 10), **where)


def test_a_missing_table_stops_the_night_and_leaves_the_watermark(where):
    night(where, at(1, 10))
    watermark = where["home"] / "feast" / "watermark.json"
    before = watermark.read_text()
    (where["home"] / "features" / "member_tastes.parquet").unlink()
    with pytest.raises(DataError, match=r"no feature table .*member_tastes.parquet: build it"):
        night(where, at(1, 11))
    assert watermark.read_text() == before


@pytest.mark.parametrize(
    ("table", "column", "value", "shown"),
    [
        ("member_dayparts", "night_ratio", float("nan"), "nan"),
        ("member_tastes", "genre_affinities", [0.5, float("-inf")], "-inf"),
    ],
)
def test_a_value_that_is_not_finite_is_an_error_that_names_it(
    where, export, table, column, value, shown
):
    export(
        table,
        {"member_id": "m1", "observed_at": at(1, 5)},
        {"member_id": "m2", "observed_at": at(1, 5), column: value},
    )
    match = rf"{column} of {table} is {shown} in 1 places, .* dbt model {table} makes it"
    with pytest.raises(DataError, match=match):
        night(where, at(1, 10))
    with pytest.raises(DataError, match=match):
        features.members_as_of(["m1"], at(1, 10), features=[table], **where)


def test_what_feast_prints_stays_off_stdout(where, export, capsys):
    export("member_activity_stats", row("m1", at(1, 9), 1))
    night(where, at(1, 10))
    features.apply(**where)
    assert capsys.readouterr() == ("", "")
