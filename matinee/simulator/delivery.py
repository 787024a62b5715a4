"""Delivery from devices to the landing zone: delays, redeliveries, duplicates and broken lines.

Rates are per row and well below the error budget of 1 %. Planted rows are counted exactly, per
stream and rule.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from matinee.simulator.catalogue import Ints

LATE_RATE, VERY_LATE_RATE = 0.02, 0.001
LATE_HOURS, VERY_LATE_HOURS = (7, 66), (80, 200)  # up to three days; more than three days
DUPLICATE_RATE = 0.002  # sent twice, with equal bytes
REDELIVERY_RATE, MAX_REDELIVERY_RATE = 0.002, 0.003  # the same event, received again later
BROKEN_RATE, MAX_BROKEN_RATE = 0.0025, 0.004

BEHAVIOUR = ("plays", "ratings", "searches", "impressions")
RULES: dict[str, tuple[str, ...]] = {
    "plays": (
        "unreadable_line", "missing_field:title_id", "mistyped_field:watched_seconds",
        "out_of_range:watched_seconds", "not_allowed:device", "event_after_receipt",
        "before_service", "unknown_title", "unknown_member",
    ),
    "ratings": (
        "unreadable_line", "missing_field:member_id", "mistyped_field:value",
        "not_allowed:rating_kind", "unknown_title", "unknown_member",
    ),
    "searches": (
        "unreadable_line", "missing_field:query_text", "out_of_range:result_count",
        "mistyped_field:event_at", "unknown_member",
    ),
    "impressions": (
        "unreadable_line", "missing_field:impression_id", "mistyped_field:was_clicked",
        "out_of_range:row_index", "unknown_title", "unknown_member",
    ),
}  # fmt: skip
INVALID_VALUES: dict[str, Any] = {
    "watched_seconds": -5,
    "result_count": -1,
    "row_index": -2,
    "device": "fridge",
    "rating_kind": "hearts",
}
MISTYPED_VALUES: dict[str, Any] = {
    "watched_seconds": "a while",
    "value": "great",
    "event_at": "yesterday",
    "was_clicked": "perhaps",
}

MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class LandedRows:
    """The rows of one landing day, per stream."""

    tables: dict[str, pa.Table]
    broken_lines: dict[str, list[str]]
    planted: dict[str, dict[str, int]]
    """Stream -> rule or kind of fault -> rows."""


@dataclass(frozen=True)
class Delivery:
    """Rows of one stream that are delivered on one day."""

    stream: str
    table: pa.Table
    is_redelivery: bool = False


@dataclass
class DeliveryQueue:
    """Deliveries by the day of their arrival, counted from the first day."""

    first_day: date
    pending: dict[int, list[Delivery]] = field(default_factory=dict)

    def send(self, tables: dict[str, pa.Table], rng: np.random.Generator) -> None:
        """Set `received_at` of every event and enqueue it, with redeliveries."""
        for stream, table in tables.items():
            if table.num_rows:
                delay = _delay(stream, table.num_rows, rng)
                table = _received(table, _micros(table, "received_at") + delay)
                self._enqueue(stream, table)
                if stream in BEHAVIOUR:
                    self._enqueue(stream, _redeliver(table, rng), is_redelivery=True)

    def backfill(self, tables: dict[str, pa.Table]) -> None:
        """Enqueue events from before the logs for the first day, received without delay."""
        for stream, table in tables.items():
            table = _received(table, _micros(table, "event_at"))
            self.pending.setdefault(0, []).append(Delivery(stream, table))

    def _enqueue(self, stream: str, table: pa.Table, is_redelivery: bool = False) -> None:
        days = _micros(table, "received_at") // MICROSECONDS_A_DAY
        days -= (self.first_day - date(1970, 1, 1)).days
        for day in np.unique(days).tolist():
            delivery = Delivery(stream, table.filter(pa.array(days == day)), is_redelivery)
            self.pending.setdefault(day, []).append(delivery)

    def deliver(self, day: int, rng: np.random.Generator) -> LandedRows:
        """The rows that arrive on `day`, with duplicates and broken lines."""
        arrived: dict[str, list[Delivery]] = {}
        for delivery in self.pending.pop(day, []):
            arrived.setdefault(delivery.stream, []).append(delivery)
        tables: dict[str, pa.Table] = {}
        broken: dict[str, list[str]] = {}
        planted: dict[str, dict[str, int]] = {}
        for stream in sorted(arrived):
            deliveries = arrived[stream]
            table = pa.concat_tables(delivery.table for delivery in deliveries)
            table = table.sort_by([("received_at", "ascending"), ("event_id", "ascending")])
            counts = _lateness(table) if stream in BEHAVIOUR else Counter[str]()
            counts["duplicate_event_id"] = sum(
                p.table.num_rows for p in deliveries if p.is_redelivery
            )
            if stream in BEHAVIOUR:
                table, duplicates = _duplicate(table, rng)
                broken[stream], rules = _broken_lines(stream, table, rng)
                counts.update(rules, exact_repeat=duplicates)
            tables[stream] = table
            planted[stream] = {name: count for name, count in sorted(counts.items()) if count}
        return LandedRows(tables, broken, planted)


def _redeliver(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Events sent again on the next day, as by a client that missed the acknowledgement.

    They arrive after midnight, where a search for duplicates within a day misses them.
    """
    n = table.num_rows
    count = min(rng.binomial(n, REDELIVERY_RATE), int(n * MAX_REDELIVERY_RATE))
    resent = table.take(pa.array(np.sort(rng.choice(n, count, replace=False))))
    midnight = _micros(resent, "received_at") // MICROSECONDS_A_DAY + 1
    later = rng.integers(1, 20 * 3600, count) * 1_000_000
    return _received(resent, midnight * MICROSECONDS_A_DAY + later)


def _delay(stream: str, n: int, rng: np.random.Generator) -> Ints:
    """Delay in microseconds: usually seconds, sometimes hours or days."""
    seconds = 1 + rng.exponential(15, n)
    if stream in BEHAVIOUR:
        draw = rng.random(n)
        late = 3600 * rng.uniform(*LATE_HOURS, n)
        very_late = 3600 * rng.uniform(*VERY_LATE_HOURS, n)
        seconds = np.select([draw < VERY_LATE_RATE, draw < LATE_RATE], [very_late, late], seconds)
    milliseconds: Ints = (seconds * 1000).astype(np.int64)
    return milliseconds * 1000


def _lateness(table: pa.Table) -> Counter[str]:
    """Rows with a delay of more than six hours, and of more than three days."""
    hours = (_micros(table, "received_at") - _micros(table, "event_at")) / 3_600_000_000
    very_late = int((hours > 72).sum())
    return Counter(late=int((hours > 6).sum()) - very_late, later_than_3_days=very_late)


def _duplicate(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, int]:
    n = table.num_rows
    count = int(rng.binomial(n, DUPLICATE_RATE))
    rows = np.concatenate([np.arange(n), rng.choice(n, count, replace=False)])
    return table.take(pa.array(np.sort(rows))), count


def _broken_lines(
    stream: str, table: pa.Table, rng: np.random.Generator
) -> tuple[list[str], Counter[str]]:
    """JSON lines that each break one rule, made from valid rows."""
    n = table.num_rows
    count = min(rng.binomial(n, BROKEN_RATE), int(n * MAX_BROKEN_RATE))
    models = table.take(pa.array(rng.integers(n, size=count) if count else [], pa.int64()))
    rules = [str(rule) for rule in rng.choice(RULES[stream], count)]
    lines = [
        _broken_line(row, rule, number)
        for number, (row, rule) in enumerate(zip(models.to_pylist(), rules, strict=True))
    ]
    return lines, Counter(rules)


def _broken_line(row: dict[str, Any], rule: str, number: int) -> str:
    received_at: datetime = row["received_at"]
    row["event_id"] = f"{row['event_id']}-broken{number}"
    kind, _, column = rule.partition(":")
    match kind:
        case "missing_field":
            row[column] = None  # null: a key missing from a whole file is a fault of the file
        case "mistyped_field":
            row[column] = MISTYPED_VALUES[column]
        case "out_of_range" | "not_allowed":
            row[column] = INVALID_VALUES[column]
        case "event_after_receipt":
            row["event_at"] = received_at + timedelta(days=1)
        case "before_service":
            row["event_at"] = datetime(1970, 1, 1)  # noqa: DTZ001 - an unset clock
        case "unknown_title":
            row["title_id"] = "nothing-like-it"
        case "unknown_member":
            row["member_id"] = "nobody"
    line = json.dumps(row, default=lambda instant: instant.isoformat() + "Z", ensure_ascii=False)
    return line[: len(line) // 2] if kind == "unreadable_line" else line


def _micros(table: pa.Table, column: str) -> Ints:
    micros: Ints = table[column].cast(pa.int64()).to_numpy()
    return micros


def _received(table: pa.Table, at: Ints) -> pa.Table:
    place = table.schema.get_field_index("received_at")
    return table.set_column(place, table.schema.field(place), pa.array(at, pa.timestamp("us")))
