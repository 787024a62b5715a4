"""Reading what dbt built. Short connections, read only: dbt is the one writer."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from matinee.columns import MEMBER_ID, OBSERVED_AT
from matinee.errors import BusyError, DataError, StorageError
from matinee.privacy import Traces

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


def search(file: Path, traces: Traces) -> dict[str, int]:
    """Rows that name one of the members, by table, in any DuckDB file; tables without are left out.

    Only tables hold anything: views show what is in them and in `received/`.
    """
    with _open(file, read_only=True) as connection:
        counts = {
            name: int(
                connection.execute(
                    f'select count(*) from "{name}" where {named}', values
                ).fetchall()[0][0]
            )
            for name, named, values in _named(connection, traces)
        }
    return {name: count for name, count in counts.items() if count}


def erase(home: Path, traces: Traces) -> None:
    """Take every row that names one of the members out of the warehouse.

    DuckDB keeps deleted bytes in free blocks of its file, so what is left moves to a new file.
    The one write that is not dbt's; sums over members stay until dbt builds them again.
    """
    file = path(home)
    fresh = file.with_suffix(".erasing")
    fresh.unlink(missing_ok=True)
    with _open(file, read_only=False) as connection:
        for name, named, values in _named(connection, traces):
            connection.execute(f'delete from "{name}" where {named}', values)
        quoted = str(fresh).replace("'", "''")
        connection.execute(f"attach '{quoted}' as fresh")
        connection.execute(f"copy from database {file.stem} to fresh")
        connection.execute("detach fresh")
    os.replace(fresh, file)
    for left in (file.with_name(f"{file.name}.wal"), fresh.with_name(f"{fresh.name}.wal")):
        left.unlink(missing_ok=True)


def _named(
    connection: "duckdb.DuckDBPyConnection", traces: Traces
) -> list[tuple[str, str, dict[str, object]]]:
    """Each table, the condition on which a row names a member, and the values bound in it."""
    tables: dict[str, list[str]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "inner join duckdb_tables() using (database_name, schema_name, table_name) "
        "where database_name = current_database() order by all"
    ).fetchall():
        conditions = tables.setdefault(table, [])
        if column == MEMBER_ID:
            conditions.append(f'list_contains($ids, "{column}"::varchar)')
        if traces.token and ("VARCHAR" in kind or kind == "BLOB"):
            conditions.append(f'regexp_matches("{column}"::varchar, $token)')
    asked = {"ids": sorted(traces.ids), "token": traces.token}
    return [
        (name, condition, {key: one for key, one in asked.items() if f"${key}" in condition})
        for name, conditions in tables.items()
        if (condition := " or ".join(f"coalesce({one}, false)" for one in conditions))
    ]


@contextmanager
def _open(file: Path, *, read_only: bool) -> "Iterator[duckdb.DuckDBPyConnection]":
    import duckdb

    try:
        connection = duckdb.connect(str(file), read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise BusyError(f"{file} is in use: wait for whoever has it open") from None
        raise StorageError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    try:
        yield connection
    finally:
        connection.close()


def plant(file: Path, member_id: str) -> None:
    """A small DuckDB file that names a member: what a search that can see has to find."""
    with _open(file, read_only=False) as connection:
        connection.execute("create or replace table planted (member_id varchar)")
        connection.execute("insert into planted values (?)", [member_id])
