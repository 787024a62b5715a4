"""Rows of any stream, made from its contract."""

import re

GOOD = {
    "varchar": "x1",
    "bigint": 1,
    "double": 0.5,
    "boolean": True,
    "timestamp": "2026-01-02T10:00:00Z",
    "date": "2026-01-02",
    "varchar[]": ["x1"],
}


def good_row(stream):
    """A row with a value in every column."""
    row = {}
    for column in stream.columns:
        value = GOOD[column.data_type]
        if column.limits.allowed is not None:
            value = column.limits.allowed[0]
        elif column.limits.minimum is not None and column.data_type in ("bigint", "double"):
            value = column.limits.minimum
        elif column.pattern:
            value = next(v for v in ("DE", "EUR", "de", "x1") if re.fullmatch(column.pattern, v))
        row[column.name] = value
    for column in stream.columns:  # limits that hold for one value of another column
        for condition in column.when:
            if str(row[condition.column]) == condition.value and condition.limits.allowed:
                row[column.name] = condition.limits.allowed[0]
    return row
