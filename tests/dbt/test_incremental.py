"""A night builds the rows that may have changed, and ends as a full refresh would."""

import random
import shutil
from datetime import date, timedelta

import pytest

from matinee import landing, warehouse
from matinee.privacy import Traces
from tests.built_tables import differing, tables

from .test_tables import play, rating, title

FIRST_DAY = date(2026, 1, 1)
GENRES = ["Comedy", "Crime", "Drama", "Horror"]


def events(chance, day, members, titles, prefix=""):
    """The events of a day; one in ten is received up to a week later."""
    streams = {"plays": [], "ratings": [], "searches": [], "impressions": []}
    for number in range(24):
        at = f"{day} {chance.randrange(24):02}:30"
        late = chance.randrange(1, 8) if chance.random() < 0.1 else 0
        envelope = {
            "received_at": f"{day + timedelta(days=late)} 23:45",
            "device": chance.choice(["tv", "phone", "web", None]),
            "utc_offset_minutes": chance.choice([-300, 0, 330]),
        }
        who, what = chance.choice(members), chance.choice(titles)
        kind = chance.choice(["plays", "plays", "ratings", "searches", "impressions"])
        key = f"{prefix}{kind}-{day}-{number}"
        if kind == "plays":
            event = play(key, who, what, at, **envelope)
        elif kind == "ratings":
            event = rating(key, who, what, at, float(chance.randrange(11))) | envelope
        elif kind == "searches":
            found_it = {"query_text": "x", "result_count": 3, "clicked_title_id": what}
            event = {"event_id": key, "member_id": who, "event_at": at, **found_it, **envelope}
        else:
            shown = {
                "impression_id": key,
                "page_id": "home",
                "row_kind": "trending",
                "row_index": 0,
                "column_index": number,
                "asset_id": "a1",
                "was_clicked": chance.random() < 0.5,
            }
            event = {"event_id": key, "member_id": who, "title_id": what, "event_at": at}
            event |= shown | envelope
        streams[kind].append(event)
    return streams


def days(chance, first, last, members, titles, prefix=""):
    """The events of some days in random order, a few of them twice."""
    streams = {"plays": [], "ratings": [], "searches": [], "impressions": []}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for stream, rows in events(chance, day, members, titles, prefix).items():
            streams[stream] += rows
    for rows in streams.values():
        rows += chance.sample(rows, len(rows) // 10)
        chance.shuffle(rows)
    return streams


def consent(member_id, purpose, granted, at):
    choice = {"purpose": purpose, "granted": granted, "event_at": at}
    return {"event_id": f"{member_id}-{purpose}-{at}", "member_id": member_id, **choice}


def snapshot(day, *, genres=0, runtime=6000, names=("t1", "t2", "t3")):
    """Titles as a day's snapshot has them; plays here have no runtime of their own."""
    return [
        title(
            name,
            str(day),
            [GENRES[(number + genres) % 4]],
            runtime_seconds=runtime,
            directors=["Agnes"],
            actors=[f"actor {number}"],
        )
        for number, name in enumerate(names)
    ]


def erase(home, member_id):
    """Take a member out of what was received and of the warehouse, as an erasure does."""
    traces = Traces.of([member_id])
    for path in sorted((home / "received").glob("*/*/*.parquet")):
        landing.filter_parquet(path, path.with_suffix(".new"), traces)
        path.with_suffix(".new").replace(path)
    return warehouse.erase(home, traces)


@pytest.fixture(scope="module")
def story(new_home, receive, build):
    """A home of several nights, each with something that changes the past, and what each built.

    Its nights sum in many parts, builds of everything in one; `home` is that of the last.
    """
    home = new_home("story")
    chance = random.Random(11)  # noqa: S311
    members = ["m1", "m2", "m3", "m4"]
    titles = ["t1", "t2", "t3", "t4"]
    nights = {}

    def night(name, as_of):
        build(home, as_of, vars={"minimum_cell_members": 2, "title_days_per_part": 40})
        nights[name] = tables(home)
        if name == "first":
            return
        whole = shutil.copytree(home, home.with_name(f"whole_{name}"))
        build(whole, as_of, vars={"minimum_cell_members": 2}, full_refresh=True)
        nights[f"whole {name}"] = tables(whole)
        nights["home"] = whole

    day = FIRST_DAY
    receive(home, 1, titles=snapshot(day), **days(chance, day, date(2026, 2, 10), members, titles))
    leaver = days(chance, date(2026, 1, 20), date(2026, 1, 25), ["leaver"], titles, prefix="own-")
    receive(home, 2, **leaver)
    night("first", "2026-02-08")

    # Late events, a member who refuses and one who is new, and a title that was waited for.
    receive(
        home,
        3,
        titles=snapshot(date(2026, 2, 11), names=("t1", "t2", "t3", "t4")),
        consents=[
            consent("m2", "personalisation", False, "2026-02-11 10:00"),
            consent("m3", "insights", False, "2026-02-11 10:00"),
        ],
        **days(chance, date(2026, 2, 9), date(2026, 2, 14), [*members, "m5"], titles),
    )
    night("second", "2026-02-14")
    # A member is erased, and nothing else changes but the day of the night.
    assert not erase(home, "leaver")
    night("back", "2026-02-12")

    # Forward again, over a changed catalogue: genres from now on, runtimes of all days.
    receive(
        home,
        4,
        titles=snapshot(date(2026, 2, 15), genres=1, runtime=3000, names=titles),
        consents=[consent("m2", "personalisation", True, "2026-02-15 10:00")],
        **days(chance, date(2026, 2, 15), date(2026, 3, 20), members, titles),
    )
    night("third", "2026-03-15")
    return nights


@pytest.mark.parametrize("night", ["second", "back", "third"])
def test_a_night_ends_as_a_full_refresh_would(story, night):
    assert differing(story[night], story[f"whole {night}"]) == []


def test_the_nights_had_something_to_build(story):
    """Or the test above could not fail."""
    counted = {
        name: rows.num_rows
        for name, rows in story["third"].items()
        if name.startswith(("int_member", "member_", "title_p", "genre_", "daypart_", "asset_"))
    }
    assert min(counted.values()) > 0, counted
    assert differing(story["first"], story["second"]) != []


def test_a_night_of_other_vars_builds_everything_again(story, build):
    home = story["home"]
    sql = "select coalesce(sum(play_count), 0) as n from int_member_title_days__summed"
    (before,) = warehouse.query(sql, home=home)["n"].to_pylist()
    build(home, "2026-03-15", vars={"minimum_cell_members": 2, "events_per_title_day": 0})
    assert before > 0
    assert warehouse.query(sql, home=home)["n"].to_pylist() == [0]
