"""Reading what dbt built. Short connections, read only: dbt is the one writer."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from matinee.columns import OBSERVED_AT
from matinee.errors import BusyError, DataError, StorageError

if TYPE_CHECKING:
    import duckdb

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Exported:
    """One feature table as a file."""

    table: str
    path: Path
    rows: int


@dataclass(frozen=True)
class StreamCounts:
    """Where the rows of one stream went; received is the sum of the others."""

    received: int
    staged: int
    rejected: int
    exact_repeats: int


def path(home: Path) -> Path:
    """The DuckDB file."""
    return home.resolve() / "warehouse" / "matinee.duckdb"


@contextmanager
def connect(home: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A read-only connection for the time of the block; DuckDB lets nobody write meanwhile.

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
    """The answer to a question; `parameters` are bound to its `?` or `$name`."""
    with connect(home) as connection:
        answer: pa.Table = connection.sql(sql, params=parameters).to_arrow_table()
    return answer


def counts(home: Path) -> dict[str, StreamCounts]:
    """Where the rows of each stream went, by stream."""
    rows = query("select * from received_counts order by stream", home=home).to_pylist()
    return {
        row["stream"]: StreamCounts(
            received=row["received_count"],
            staged=row["staged_count"],
            rejected=row["rejected_count"],
            exact_repeats=row["exact_repeat_count"],
        )
        for row in rows
    }


def export_features(home: Path) -> list[Exported]:
    """Write every feature table to `features/<table>.parquet`, by key and then time.

    A feature table is one with the feature clock, `observed_at`. Files are whole or absent: each is
    written under another name and renamed. Instants become TIMESTAMPTZ, which Feast expects.
    """
    folder = home.resolve() / "features"
    folder.mkdir(parents=True, exist_ok=True)
    with connect(home) as connection:
        # One thread: the bytes of a file then depend on nothing but its rows.
        connection.execute("set threads = 1")
        found = connection.execute(
            "select table_name, list(column_name order by ordinal_position), "
            "list(data_type order by ordinal_position) from information_schema.columns "
            "group by table_name having bool_or(column_name = ?) order by table_name",
            [OBSERVED_AT],
        ).fetchall()
        if not found:
            raise DataError(f"no feature tables in {path(home)}: build them with `matinee run`")
        return [
            _export(connection, folder, name, dict(zip(columns, types, strict=True)))
            for name, columns, types in found
        ]


def _export(
    connection: "duckdb.DuckDBPyConnection", folder: Path, name: str, columns: Mapping[str, str]
) -> Exported:
    file = folder / f"{name}.parquet"
    staged = folder / f".{name}.parquet.new"
    selected = ", ".join(
        f"{column} at time zone 'UTC' as {column}" if kind == "TIMESTAMP" else column
        for column, kind in columns.items()
    )
    keys = [column for column in columns if column.endswith("_id")]
    ordered = f"select {selected} from {name} order by {', '.join([*keys, OBSERVED_AT])}"
    written = connection.execute(
        f"copy ({ordered}) to '{str(staged).replace(chr(39), chr(39) * 2)}' (format parquet)"
    ).fetchone()
    os.replace(staged, file)
    return Exported(table=name, path=file, rows=written[0] if written else 0)
