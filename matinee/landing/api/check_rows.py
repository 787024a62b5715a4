"""Checks one event against the contract, in Python: what it accepts, `receive` accepts too.

It is stricter than `receive` where a client can be asked to be exact: values have their JSON type,
and times are ISO 8601 with an offset.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from matinee.columns import EVENT_AT, RECEIVED_AT
from matinee.landing.check import CLOCK_SKEW_MINUTES, LAST_BIGINT, LEAST_BIGINT, LONGEST_FIELD_BYTES
from matinee.landing.contract import Column, Limits, Stream

INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII
)

CLOCK_SKEW = timedelta(minutes=CLOCK_SKEW_MINUTES)


@dataclass(frozen=True)
class Broken:
    """The first rule that a row breaks."""

    column: str
    rule: str
    value: Any


def first_broken_rule(stream: Stream, row: Mapping[str, Any]) -> Broken | None:
    """The first rule of the contract that a row breaks, or None.

    Parameters
    ----------
    row : mapping
        A JSON object with `received_at` set by the server.
    """
    for name in row:
        if name not in stream.names:
            return Broken(name, "unknown_field", row[name])
    for column in stream.columns:
        value = row.get(column.name)
        if is_missing(stream, column, value):
            if column.required:
                return Broken(column.name, "missing_field", value)
            continue
        if rule := _broken(column, value, row):
            return Broken(column.name, rule, value)
    if stream.kind == "event" and instant(row[EVENT_AT]) > instant(row[RECEIVED_AT]) + CLOCK_SKEW:
        return Broken(EVENT_AT, "event_after_receipt", row[EVENT_AT])
    return None


def is_missing(stream: Stream, column: Column, value: Any) -> bool:
    """Whether a value stands for none, as in a landing file of JSON lines."""
    if value is None or value == "":
        return True
    if isinstance(value, str) and column.pii != "free_text" and column.limits.allowed is None:
        return value.lower() in stream.missing_values["jsonl"]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and value in column.missing


def instant(text: str) -> datetime:
    """A checked time, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _broken(column: Column, value: Any, row: Mapping[str, Any]) -> str | None:
    if not _has_type(column, value):
        return "mistyped_field"
    text = "".join(value) if isinstance(value, list) else value
    if isinstance(text, str):
        if len(text.encode("utf-8", "surrogatepass")) > LONGEST_FIELD_BYTES:
            return "field_too_long"
        if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
            return "mistyped_field"
    if column.data_type == "bigint" and not LEAST_BIGINT <= value < LAST_BIGINT:
        return "out_of_range"
    if column.pattern and not re.fullmatch(column.pattern, value):
        return "not_allowed"
    if rule := _outside(column, column.limits, value):
        return rule
    for condition in column.when:
        if row.get(condition.column) == condition.value and (
            rule := _outside(column, condition.limits, value)
        ):
            return rule
    return None


def _has_type(column: Column, value: Any) -> bool:
    match column.data_type:
        case "bigint":
            is_whole = isinstance(value, int) or (
                isinstance(value, float) and math.isfinite(value) and value == int(value)
            )
            return is_whole and not isinstance(value, bool)
        case "double":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return is_number and math.isfinite(value)
        case "boolean":
            return isinstance(value, bool)
        case "timestamp":
            return isinstance(value, str) and _is_instant(value)
        case "varchar[]":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case _:
            return isinstance(value, str)


def _is_instant(text: str) -> bool:
    if not INSTANT.fullmatch(text):
        return False
    try:
        at = instant(text)
    except (ValueError, OverflowError):
        return False
    return 1900 < at.year < 2262


def _outside(column: Column, limits: Limits, value: Any) -> str | None:
    if limits.allowed is not None and value not in limits.allowed:
        return "not_allowed"
    if column.data_type == "timestamp":
        at = instant(value).replace(tzinfo=None)
        if limits.minimum is not None and at < datetime.fromisoformat(str(limits.minimum)):
            return "before_service"
        if limits.maximum is not None and at > datetime.fromisoformat(str(limits.maximum)):
            return "out_of_range"
        return None
    if limits.minimum is not None and value < limits.minimum:
        return "out_of_range"
    if limits.maximum is not None and value > limits.maximum:
        return "out_of_range"
    return None
