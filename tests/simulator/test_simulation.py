"""Simulated days: reproducible, valid under the contract, and in order of time."""

import json
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from matinee import landing
from matinee.columns import EVENT_STREAMS, STREAMS
from matinee.settings import Settings
from matinee.simulator import SCHEMAS, Simulation, describe


def whole(days, stream):
    return pa.concat_tables(day.tables[stream] for day in days if stream in day.tables)


def test_the_same_seed_gives_the_same_days(landed):
    second = list(Simulation(members=300, titles=200, days=12, seed=7).landing_days())
    assert second == landed


def test_another_seed_gives_other_days(landed):
    other = next(Simulation(members=300, titles=200, days=1, seed=8).landing_days())
    assert other.tables["plays"] != landed[0].tables["plays"]


def test_a_longer_simulation_only_adds_days(landed):
    longer = list(Simulation(members=300, titles=200, days=15, seed=7).landing_days())
    assert longer[:12] == landed
    assert len(longer) == 15


def test_skipped_days_do_not_change_the_rest():
    # Far enough that tables of whole days are not built.
    whole_run = list(Simulation(members=60, titles=80, days=20, seed=3).landing_days())
    rest = list(Simulation(members=60, titles=80, days=20, seed=3).landing_days(start=18))
    assert rest == whole_run[18:]


@pytest.mark.parametrize("stream", STREAMS)
def test_columns_are_those_of_the_contract(stream):
    contract = landing.load(Settings().project)
    assert SCHEMAS[stream] == landing.arrow_schema(contract.streams[stream])


@pytest.mark.parametrize("stream", [name for name in STREAMS if name != "privacy_requests"])
def test_every_stream_has_rows(landed, stream):
    assert whole(landed, stream).num_rows > 0


def test_members_who_request_erasure_have_no_later_events():
    days = list(Simulation(members=3000, titles=40, days=4, seed=5).landing_days())
    requests = whole(days, "privacy_requests").to_pylist()
    assert {row["kind"] for row in requests} == {"erase", "export"}
    erased = {row["member_id"]: row["event_at"] for row in requests if row["kind"] == "erase"}
    cancelled = {
        row["member_id"]
        for row in whole(days, "subscriptions").to_pylist()
        if row["kind"] == "cancel"
    }
    assert set(erased) <= cancelled
    for row in whole(days, "impressions").to_pylist():
        requested_at = erased.get(row["member_id"])
        assert requested_at is None or row["event_at"].date() <= requested_at.date()


@pytest.mark.parametrize("stream", EVENT_STREAMS)
def test_events_land_on_the_day_of_their_receipt(landed, stream):
    for day in landed:
        if stream in day.tables:
            received = set(day.tables[stream]["received_at"].cast(pa.date32()).to_pylist())
            history = stream in ("subscriptions", "consents") and day.on == landed[0].on
            assert history or received == {day.on}


def test_no_event_is_before_its_member_joined_or_its_title_was_added(landed):
    joined, added = {}, {}
    for day in landed:
        if "members" in day.tables:
            members = day.tables["members"].to_pydict()
            joined |= dict(zip(members["member_id"], members["joined_on"], strict=True))
        if "titles" in day.tables:
            titles = day.tables["titles"].to_pydict()
            added |= dict(zip(titles["title_id"], titles["added_on"], strict=True))
        for stream in EVENT_STREAMS:
            for row in day.tables.get(stream, SCHEMAS[stream].empty_table()).to_pylist():
                assert joined[row["member_id"]] <= row["event_at"].date()
                if "title_id" in row:
                    assert added[row["title_id"]] <= row["event_at"].date()


def test_members_are_shown_titles_of_their_age_limit_and_country_only(landed, simulation):
    limits = {f"m-{k:06d}": limit for k, limit in enumerate(simulation.people.age_limit)}
    ages = {
        film.id: age
        for film, age in zip(
            simulation.catalogue.films, simulation.catalogue.minimum_age, strict=True
        )
    }
    windows = {}
    for row in landed[0].tables["title_windows"].to_pylist():
        windows.setdefault(row["title_id"], []).append(row)
    for row in landed[0].tables["impressions"].to_pylist():
        assert ages[row["title_id"]] <= [7, 12, 16, 99][limits[row["member_id"]]]
        rules = windows.get(row["title_id"])
        assert rules is None or any(
            rule["country"] in (None, row["country"])
            and rule["starts_on"] <= row["event_at"].date() <= rule["ends_on"]
            for rule in rules
        )


def test_titles_and_members_arrive_and_leave(landed):
    first, last = landed[0], [day for day in landed if "titles" in day.tables][-1]
    first_titles = set(first.tables["titles"]["title_id"].to_pylist())
    last_titles = set(last.tables["titles"]["title_id"].to_pylist())
    assert last_titles - first_titles
    assert whole(landed, "members")["member_id"].to_pylist() != []
    kinds = Counter(whole(landed, "subscriptions")["kind"].to_pylist())
    assert kinds["start"] > 300
    assert kinds["renew"] > kinds["cancel"] > 0


def test_plays_after_a_click_have_its_impression_id(landed):
    impressions = whole(landed, "impressions").to_pylist()
    clicked = {row["impression_id"]: row for row in impressions if row["was_clicked"]}
    linked = [row for row in whole(landed, "plays").to_pylist() if row["impression_id"]]
    known = [row for row in linked if row["impression_id"] in clicked]
    assert len(known) > 0.95 * len(linked)  # the others' impressions are late
    for row in known:
        assert clicked[row["impression_id"]]["title_id"] == row["title_id"]
        assert clicked[row["impression_id"]]["member_id"] == row["member_id"]


def test_popularity_has_a_long_tail(landed):
    counts = np.sort(list(Counter(whole(landed, "plays")["title_id"].to_pylist()).values()))[::-1]
    tenth = counts[: len(counts) // 10].sum()
    assert 0.25 < tenth / counts.sum() < 0.8


def test_weekends_have_more_visits(landed):
    visits = Counter(
        row["event_at"].date()
        for row in whole(landed, "impressions").select(["event_at"]).to_pylist()
    )
    week = [date(2026, 1, 1) + timedelta(days=k) for k in range(1, 11)]
    weekend = [visits[day] for day in week if day.weekday() >= 5]
    working = [visits[day] for day in week if day.weekday() < 4]
    assert np.mean(weekend) > 1.1 * np.mean(working)


def test_titles_beyond_the_films_are_named_as_invented():
    simulation = Simulation(members=1, titles=2500, days=1, seed=1)
    day = next(simulation.landing_days())
    titles = day.tables["titles"].to_pylist()
    invented = [row for row in titles if row["title_id"].startswith("invented")]
    assert len(titles) == 2500
    assert 850 <= len(invented) < 1100
    assert all("(invented " in row["name"] for row in invented)
    assert len({row["title_id"] for row in titles}) == 2500
    real = [row for row in titles if row["title_id"].startswith("tt")]
    assert {row["ai_use"] for row in real} == {"none"}


def test_the_truth_is_json_and_names_every_member(landed, simulation):
    truth = json.loads(json.dumps(describe(simulation)))
    assert len(truth["members"]) == len(simulation.people)
    assert truth["rules"]["bots"] == 0
    cancelled = [
        row for row in whole(landed, "subscriptions").to_pylist() if row["kind"] == "cancel"
    ]
    described = {
        row["member_id"] for row in truth["cancellations"] if row["on"] < landed[-1].on.isoformat()
    }
    assert {row["member_id"] for row in cancelled} >= described
