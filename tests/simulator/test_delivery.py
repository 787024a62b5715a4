"""Planted faults are counted exactly and stay below the error budget."""

import json
from collections import Counter

import pyarrow as pa
import pytest

from matinee.simulator import Simulation
from matinee.simulator.delivery import BEHAVIOUR, RULES


@pytest.fixture(scope="module")
def busy():
    """Enough members to break every rule."""
    return list(Simulation(members=4000, titles=60, days=4, seed=9).landing_days())


def planted(days, stream):
    total = Counter()
    for day in days:
        total.update(day.planted.get(stream, {}))
    return total


@pytest.mark.parametrize("stream", BEHAVIOUR)
def test_duplicates_and_redeliveries_are_counted(busy, stream):
    first: dict = {}
    duplicates = redeliveries = 0
    rows = pa.concat_tables(day.tables[stream] for day in busy)
    for event_id, received_at in zip(
        rows["event_id"].to_pylist(), rows["received_at"].to_pylist(), strict=True
    ):
        if event_id not in first:
            first[event_id] = {received_at}
        elif received_at in first[event_id]:
            duplicates += 1
        else:
            first[event_id].add(received_at)
            redeliveries += 1
    assert planted(busy, stream)["exact_repeat"] == duplicates
    assert planted(busy, stream)["duplicate_event_id"] == redeliveries
    assert duplicates > 0


@pytest.mark.parametrize("stream", BEHAVIOUR)
def test_broken_lines_are_counted(busy, stream):
    rules = {rule: count for rule, count in planted(busy, stream).items() if rule in RULES[stream]}
    lines = [line for day in busy for line in day.broken_lines[stream]]
    assert sum(rules.values()) == len(lines)
    unreadable = 0
    for line in lines:
        try:
            json.loads(line)
        except ValueError:
            unreadable += 1
    assert unreadable == rules.get("unreadable_line", 0)


def test_every_rule_of_the_largest_stream_is_broken(busy):
    assert set(RULES["impressions"]) <= set(planted(busy, "impressions"))


@pytest.mark.parametrize("stream", BEHAVIOUR)
def test_rejected_rows_stay_below_the_error_budget(busy, landed, stream):
    for day in [*busy, *landed]:
        counts = day.planted[stream]
        rejected = sum(counts.get(rule, 0) for rule in (*RULES[stream], "duplicate_event_id"))
        assert rejected <= 0.008 * day.tables[stream].num_rows


def test_late_events_are_counted(landed):
    late = very_late = total = 0
    for day in landed:
        for stream in BEHAVIOUR:
            columns = day.tables[stream].select(["event_id", "event_at", "received_at"])
            # A duplicate of a late row is counted once.
            for _, event_at, received_at in {tuple(row.values()) for row in columns.to_pylist()}:
                hours = (received_at - event_at).total_seconds() / 3600
                late += 6 < hours <= 72
                very_late += hours > 72
                total += 1
    counts = sum((planted(landed, stream) for stream in BEHAVIOUR), Counter())
    assert counts["late"] == late
    assert counts["later_than_3_days"] == very_late
    assert 0.005 < late / total < 0.04
