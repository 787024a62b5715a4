"""A set's events in a database in memory, before they land."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.errors import DataError
from matinee.landing.importers.set_files import Problems, whole
from matinee.landing.read import as_text

if TYPE_CHECKING:
    import duckdb

Values = Mapping[str, object]


@dataclass(frozen=True)
class Parsing:
    """How the lines of a file become rows of a table."""

    table: str
    noun: str
    """What a line is, in messages."""

    columns: Mapping[str, str]
    """Of the table: name -> type."""

    parsed: str
    """A query on `chunk` (line, raw_text) that gives line, raw_text and is_good, and what
    `selected` needs."""

    selected: str
    """The columns of the table, of the good rows of `parsed`."""

    wanted: str
    """What lines should be like, for the message when none is."""

    values: Values = field(default_factory=dict)
    """Parameters of `parsed`."""

    selected_values: Values = field(default_factory=dict)
    """Parameters of `selected`."""


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory. One thread: the same set gives the same bytes when imported again."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def stage(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    parsing: Parsing,
    problems: Problems,
    *,
    has_header: bool,
) -> None:
    """Make and fill the table; lines that cannot be read are problems.

    Raises
    ------
    DataError
        If not one line could be read.
    """
    table = parsing.table
    columns = ", ".join(f"{name} {kind}" for name, kind in parsing.columns.items())
    connection.execute(f"create table {table} ({columns})")
    for records in whole(path, is_quoted=False):
        chunk = as_text(records)
        is_first = has_header and records.lines[0] == 1
        connection.register("chunk", chunk.slice(1) if is_first else chunk)
        connection.execute(
            f"create or replace temp table parsed as {parsing.parsed}", dict(parsing.values)
        )
        connection.execute(
            f"insert into {table} select {parsing.selected} from parsed where is_good",
            dict(parsing.selected_values),
        )
        bad = "select line, raw_text from parsed where not is_good order by line"
        for line, text in connection.execute(bad).fetchall():
            problems.add(path, line, f"not a {parsing.noun}: {text.strip()[:80]!r}")
        connection.unregister("chunk")
    if connection.execute(f"select count(*) from {table}").fetchall() == [(0,)]:
        first = f", the first {problems.texts[0]}" if problems.texts else ""
        raise DataError(
            f"{path}: not one {parsing.noun} could be read; {problems.count:,} lines{first};"
            f" wanted are lines {parsing.wanted}"
        )
