"""Reads what dbt built, over short read-only connections: dbt is the only writer."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from matinee.errors import BusyError, DataError, StorageError

if TYPE_CHECKING:
    import duckdb

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Counts:
    """Where the rows of one stream or file went; received is the sum of the others."""

    received: int
    staged: int
    rejected: int
    exact_repeats: int


def path(home: Path) -> Path:
    """The DuckDB file."""
    return home.resolve() / "warehouse" / "matinee.duckdb"


@contextmanager
def connect(home: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A read-only connection for the time of the block; DuckDB allows no writer meanwhile.

    Opening the file takes 10 ms, and a hundredth of it while another connection of this process
    is open: hold one around many queries.

    Raises
    ------
    DataError
        If the warehouse was never built, or has no such table.
    BusyError
        If another process is writing it.
    """
    import duckdb

    file = path(home)
    if not file.is_file():
        raise DataError(f"no warehouse {file}: build it with `matinee run`")
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise BusyError(f"{file} is being written: wait for the night to end") from None
        raise StorageError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    except duckdb.CatalogException as error:
        missing = " ".join(str(error).splitlines()[0].split())
        raise DataError(f"{missing} ({file}): build it with `matinee run`") from None
    finally:
        connection.close()


def table(name: str, *, home: Path) -> pa.Table:
    """Every row of a built table, in the order of its columns."""
    if not NAME.fullmatch(name):
        raise DataError(f"no table can be called {name!r}: lower-case letters, digits, underscores")
    return query(f"select * from {name} order by all", home=home)


def query(
    sql: str, parameters: Sequence[object] | Mapping[str, object] = (), *, home: Path
) -> pa.Table:
    """The result of a query; `parameters` are bound to its `?` or `$name`."""
    with connect(home) as connection:
        result: pa.Table = connection.sql(sql, params=parameters).to_arrow_table()
    return result


def counts(home: Path) -> dict[str, Counts]:
    """Where the rows of each stream went, by stream."""
    return _counts("received_counts", "stream", home)


def file_counts(home: Path) -> dict[str, Counts]:
    """Where the rows of each landing file went, by the file's path below `landing/`."""
    return _counts("received_file_counts", "file", home)


def _counts(table: str, key: str, home: Path) -> dict[str, Counts]:
    rows = query(f"select * from {table} order by {key}", home=home).to_pylist()
    return {
        row[key]: Counts(
            received=row["received_count"],
            staged=row["staged_count"],
            rejected=row["rejected_count"],
            exact_repeats=row["exact_repeat_count"],
        )
        for row in rows
    }


def row_counts(home: Path) -> dict[str, int]:
    """Rows of each table, as DuckDB estimates them without reading it."""
    sql = "select table_name, estimated_size from duckdb_tables() order by all"
    return {row["table_name"]: row["estimated_size"] for row in query(sql, home=home).to_pylist()}
