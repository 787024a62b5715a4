"""The same rows give the same tables, however and whenever they come."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matinee import warehouse
from tests.built_tables import after_staging, differing, tables

EARLIER, LATER = "2026-01-06", "2026-01-20"


def play(event_id, member_id, title_id, event_at, **more):
    return {
        "event_id": event_id,
        "member_id": member_id,
        "title_id": title_id,
        "event_at": event_at,
        "watched_seconds": 3000,
        "device": "tv",
        **more,
    }


def rating(event_id, member_id, title_id, event_at, value):
    return {
        "event_id": event_id,
        "member_id": member_id,
        "title_id": title_id,
        "event_at": event_at,
        "rating_kind": "stars",
        "value": value,
    }


def title(title_id, landed_on, genres=("Drama",), **more):
    return {
        "title_id": title_id,
        "name": title_id.title(),
        "title_kind": "movie",
        "landed_on": landed_on,
        "genres": list(genres),
        "runtime_seconds": 6000,
        **more,
    }


def member(member_id, landed_on, **more):
    return {"member_id": member_id, "joined_on": "2025-12-01", "landed_on": landed_on, **more}


FIRST = {
    "titles": [
        title("t1", "2026-01-01", ["Drama", "Crime"], directors=["Agnes"], actors=["Bela"]),
        title("t2", "2026-01-01", ["Comedy"], themes=["wedding"]),
    ],
    "members": [member("m1", "2026-01-01", country="DE"), member("m2", "2026-01-01")],
    "plays": [
        play("p1", "m1", "t1", "2026-01-02 20:00"),
        play("p2", "m1", "t2", "2026-01-03 20:00"),
        play("p3", "m2", "t1", "2026-01-04 20:00"),
        play("early", "m1", "t3", "2026-01-05 20:00"),  # t3 is not in the catalogue yet
        play("twice", "m2", "t2", "2026-01-06 20:00", received_at="2026-01-06 21:00"),
        play("p2", "m1", "t2", "2026-01-03 20:00"),  # an exact repeat
    ],
    "ratings": [rating("r1", "m2", "t1", "2026-01-05 23:59:59.999999", 9.0)],
    "searches": [
        {
            "event_id": "s1",
            "member_id": "m1",
            "event_at": "2026-01-05 10:00",
            "query_text": "wedding",
            "result_count": 3,
            "clicked_title_id": "t2",
        }
    ],
    "subscriptions": [
        {
            "event_id": "u1",
            "member_id": "m1",
            "event_at": "2026-01-02 10:00",
            "kind": "start",
            "plan": "premium",
        }
    ],
    # A refusal counts in past nights as well: one that came later would change the earlier tables.
    "consents": [
        {
            "event_id": "c1",
            "member_id": "m2",
            "event_at": "2026-01-10 10:00",
            "purpose": "personalisation",
            "granted": False,
        }
    ],
}
SECOND = {
    "titles": [
        title("t1", "2026-01-08", ["Drama"], directors=["Agnes"], actors=["Bela"]),
        title("t3", "2026-01-08", ["Horror"]),
    ],
    "members": [member("m1", "2026-01-08", country="FR"), member("m3", "2026-01-08")],
    "plays": [
        # The delivery that was first is the last to land, with other content.
        play("twice", "m2", "t1", "2026-01-06 20:00", received_at="2026-01-06 20:30"),
        play("late", "m3", "t1", "2026-01-07 20:00", received_at="2026-01-09 08:00"),
        play("p2", "m1", "t2", "2026-01-03 20:00", received_at="2026-01-09 09:00"),
        play("unknown", "m9", "t1", "2026-01-09 20:00"),
    ],
}


@dataclass(frozen=True)
class Nights:
    """A home, and what its tables held as of the earlier and of the later day."""

    home: Path
    earlier: dict[str, pa.Table]
    later: dict[str, pa.Table]


@pytest.fixture(scope="module")
def at_once(new_home, receive, build):
    home = new_home("at_once")
    receive(home, 1, **FIRST)
    receive(home, 2, **SECOND)
    build(home, EARLIER)
    earlier = after_staging(tables(home))
    build(home, LATER)
    return Nights(home, earlier, tables(home))


@pytest.fixture(scope="module")
def night_by_night(new_home, receive, build):
    home = new_home("night_by_night")
    receive(home, 1, **FIRST)
    build(home, EARLIER)
    earlier = after_staging(tables(home))
    receive(home, 2, **SECOND)
    build(home, LATER)
    return Nights(home, earlier, tables(home))


def test_an_as_of_in_the_past_has_nothing_that_came_later(at_once, night_by_night):
    assert differing(at_once.earlier, night_by_night.earlier) == []
    assert differing(at_once.earlier, after_staging(at_once.later)) != []


def test_two_nights_give_the_tables_of_one_full_refresh(at_once, night_by_night):
    assert differing(at_once.later, night_by_night.later) == []


def contents(exported):
    return [{file.name: file.read_bytes() for file in table.path.iterdir()} for table in exported]


def test_the_same_tables_export_to_the_same_bytes(at_once, night_by_night):
    one, other = (warehouse.export_features(night.home) for night in (at_once, night_by_night))
    assert len(one) == 8
    assert contents(one) == contents(other)


def test_every_row_is_kept_rejected_or_repeated(at_once):
    plays = warehouse.counts(at_once.home)["plays"]
    assert plays == warehouse.Counts(received=10, staged=6, rejected=3, exact_repeats=1)
    rejected = warehouse.table("rejected_plays", home=at_once.home).to_pylist()
    assert {(row["rule"], row["file"], row["line"]) for row in rejected} == {
        ("duplicate_event_id", "plays/1.jsonl", 5),
        ("duplicate_event_id", "plays/2.jsonl", 3),
        ("unknown_member", "plays/2.jsonl", 4),
    }


def test_a_play_of_a_title_not_yet_known_counts_once_it_is(at_once):
    rows = warehouse.query(
        "select title_id from member_title_signals where member_id = 'm1'", home=at_once.home
    )
    assert "t3" in rows["title_id"].to_pylist()


def test_a_member_without_consent_is_in_no_feature_and_no_count(at_once):
    assert not warehouse.query("from member_profiles where member_id = 'm2'", home=at_once.home)
    newest = warehouse.query(
        "select max_by(play_count_90d, observed_at) as plays from title_popularity_stats "
        "where title_id = 't1'",
        home=at_once.home,
    )
    assert newest["plays"].to_pylist() == [2]


def test_feature_files_hold_instants_in_utc(at_once):
    for exported in warehouse.export_features(at_once.home):
        clock = pq.read_table(exported.path).schema.field("observed_at")
        assert clock.type == pa.timestamp("us", tz="UTC")
