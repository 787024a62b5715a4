"""`matinee insights`: what a release says to marketing and content, as tables."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from matinee.cli.output import Format, emit, say

app = typer.Typer(help="Segments, momentum, demand: for marketing.", no_args_is_help=True)


class Table(StrEnum):
    """The tables of a release."""

    segments = "segments"
    momentum = "momentum"
    demand = "demand"
    narratives = "narratives"
    searches = "searches"
    experience = "experience"
    proxies = "proxies"
    artwork = "artwork"
    churn = "churn"
    at_risk = "at-risk"


class TableFormat(StrEnum):
    """How a table is printed."""

    table = "table"
    json = "json"
    csv = "csv"


@app.command(epilog="Example: matinee insights show momentum --format csv > momentum.csv")
def show(
    table: Annotated[Table, typer.Argument(help="Which table.")],
    release: Annotated[str, typer.Option(help="A release id or alias.")] = "live",
    form: Annotated[
        TableFormat, typer.Option("--format", help="Print a table, JSON or CSV.")
    ] = TableFormat.table,
) -> None:
    """Print one table of a release; docs/guides/insights.md explains the columns."""
    from matinee import pipeline
    from matinee.settings import Settings

    found = pipeline.insight_table(Settings(), table.value, release=release)
    if form is TableFormat.csv:
        _write_csv(found.columns, found.rows)
        return
    emit(found.rows, Format(form.value), title=f"{table.value}, data as of {found.as_of[:10]}")
    if not found.rows:
        why = "too few members, or too short a log"
        if table.value == "at-risk":
            why = "no member at risk may be contacted, or all have something new in their slate"
        say(f"release {found.release_id} has no {table.value}: {why}")


def _write_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows with a header; a list is joined by `; `, and a missing value is empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_cell(row[name]) for name in columns] for row in rows])


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = "; ".join("" if one is None else str(one) for one in value)
    # A spreadsheet reads a text that begins so as a formula, and names come from logs.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
