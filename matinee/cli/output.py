"""Output of commands: data on stdout as a table or JSON, messages and progress on stderr."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from matinee.errors import printable

Row = Mapping[str, Any]

PLAIN: dict[str, Any] = {"highlight": False, "emoji": False}
"""Text is printed unchanged: a name may contain numbers, or `:x:`."""

talk = Console(stderr=True, **PLAIN)


def say(text: str) -> None:
    """One line on stderr, with control characters escaped: a name or an id may come from a log."""
    talk.print(printable(text), markup=False, soft_wrap=True)


def say_lines(text: str) -> None:
    """Several lines of our own on stderr."""
    for line in text.split("\n"):
        say(line)


class Format(StrEnum):
    """How data is printed."""

    table = "table"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="Print a table or JSON.")]


def stdout(*, widest: int = 160) -> Console:
    """A console on the current stdout: as wide as the terminal, or `widest` in a pipe."""
    console = Console(**PLAIN)
    return console if console.is_terminal else Console(width=widest, **PLAIN)


def emit(rows: Sequence[Row], form: Format, *, title: str = "") -> None:
    """Print rows that have the same keys."""
    if form is Format.json:
        typer.echo(as_json(list(rows)))
        return
    if not rows:
        say(f"{title}: nothing" if title else "nothing")
        return
    stdout().print(table_of(rows, title=title))


def as_json(value: object) -> str:
    """Any data as JSON for people: letters unchanged, control characters escaped."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=2)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(
        one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text
    )


def emit_one(row: Row, form: Format) -> None:
    """Print one row: one line per field, or one JSON object."""
    if form is Format.json:
        typer.echo(as_json(row))
        return
    stdout().print(table_of([{"": key, " ": value} for key, value in row.items()], header=False))


def table_of(rows: Sequence[Row], *, title: str = "", header: bool = True) -> Table:
    """Rows as a rich table; numbers are right-aligned, every value is escaped."""
    table = Table(
        title=escape(shown(title)) or None, title_justify="left", show_header=header, box=None
    )
    for name, value in rows[0].items():
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(
            escape(shown(name.replace("_", " "))), justify="right" if numeric else "left"
        )
    for row in rows:
        table.add_row(*(escape(shown(value)) for value in row.values()))
    return table


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on a terminal, one line in a log; yields the function that reports steps."""
    started = time.monotonic()
    if talk.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24))
        with Progress(*columns, TimeElapsedColumn(), console=talk, transient=True) as bar:
            task = bar.add_task(what, total=None)

            def step(done: int, total: int, name: str) -> None:
                bar.update(task, completed=done, total=total, description=f"{what}: {name}"[:72])

            yield step
    else:
        yield lambda done, total, name: None
    say(f"  {what:<44} {time.monotonic() - started:6.1f} s")


def shown(value: object) -> str:
    """A value as text without control characters: it may come from a log."""
    match value:
        case None:
            return ""
        case float():
            return f"{value:.4f}"
        case int() if not isinstance(value, bool):
            return f"{value:,}"
        case list() | tuple():
            return printable(", ".join(map(str, value)))
        case _:
            return printable(str(value))


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot print {type(value).__name__} as JSON")
