"""Tables: columns that know how to show a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matinee.report.markup import Child, Markup, element
from matinee.report.words import MISSING, Row, label, show

LONGEST = 60
"""Rows after which a table says how many more there are; the release's files have them all."""


@dataclass(frozen=True)
class Column:
    """A heading, what stands under it for a row, and how it is set."""

    name: str
    cell: Callable[[Row], Child]
    kind: str | None = None


def number(name: str) -> Column:
    """A field set as a number: to the right, digits under digits."""
    return Column(name, lambda row: show(row.get(name), name), "number")


def words(name: str) -> Column:
    """A field as it is."""
    return Column(name, lambda row: show(row.get(name), name))


def named(name: str) -> Column:
    """A field that holds a name of ours, put in words."""
    return Column(name, lambda row: label(str(row[name])))


def code(name: str) -> Column:
    """A field that holds a name to be typed as it is."""
    return Column(name, lambda row: element("code", row[name]))


def prose(heading: str, name: str) -> Column:
    """A field that holds a sentence."""
    return Column(heading, lambda row: row.get(name) or MISSING, "prose")


def columns_of(rows: Sequence[Row]) -> list[Column]:
    """A column for each field of the first row."""
    names = list(rows[0]) if rows else []
    return [number(name) if _is_number(rows, name) else words(name) for name in names]


def table(
    rows: Sequence[Row],
    columns: Sequence[Column],
    *,
    is_bad: Callable[[Row], bool] = lambda _: False,
) -> Markup:
    """Rows under their columns; it scrolls sideways on a small screen instead of the page."""
    head = [
        element("th", label(column.name), scope="col", class_=column.kind) for column in columns
    ]
    body = [
        element(
            "tr",
            [element("td", column.cell(row), class_=column.kind) for column in columns],
            class_="bad" if is_bad(row) else None,
        )
        for row in rows[:LONGEST]
    ]
    note = f"The first {LONGEST} of {show(len(rows))}." if len(rows) > LONGEST else None
    content = element(
        "table",
        element("caption", note) if note else None,
        element("thead", element("tr", head)),
        element("tbody", body),
    )
    return element("div", content, class_="scroll", tabindex="0")


def _is_number(rows: Sequence[Row], name: str) -> bool:
    values: list[Any] = [row[name] for row in rows if row.get(name) is not None]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )
