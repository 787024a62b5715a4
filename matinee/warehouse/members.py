"""Finds members in any DuckDB file, and erases them from the warehouse."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from matinee import durable
from matinee.columns import MEMBER_ID
from matinee.duckdb_paths import literal
from matinee.errors import BusyError, StorageError
from matinee.privacy import Forgotten, Traces, is_member_field
from matinee.warehouse.reading import path

if TYPE_CHECKING:
    import duckdb


TEXTUAL = ("VARCHAR", "BLOB", "JSON", "STRUCT", "MAP", "UNION", "ENUM")


COLUMNS = """
    select format('"{}"."{}"', replace(schema_name, '"', '""'), replace(table_name, '"', '""')),
        column_name, data_type
    from duckdb_columns() inner join duckdb_tables() using (database_name, schema_name, table_name)
    where database_name = current_database()
    order by all
"""


ERASED_DAYS = "erased_days"
"""Days of which sums still count erased members, until a build has summed them again."""


EVENT_COLUMNS = {MEMBER_ID, "event_id", "event_at", "received_at"}


PROFILES = "base_accounts__members"
"""While it is empty, every member who has an event counts."""


def search(file: Path, traces: Traces) -> dict[str, int]:
    """Rows of the members by table, in any DuckDB file; tables without are left out.

    Only tables hold anything: views show what is in them and in `received/`.

    Raises
    ------
    StorageError
        If the file is damaged.
    """
    with _open(file, read_only=True) as connection:
        counts = {}
        for name, columns in _member_columns(connection).items():
            condition = _theirs(connection, name, columns, traces)
            counted = f"select count(*) from {name} where {condition}"
            counts[name.removeprefix('"main".').strip('"')] = int(
                connection.execute(counted).fetchall()[0][0]
            )
    return {name: count for name, count in counts.items() if count}


def texts(file: Path) -> Iterator[pa.Table]:
    """Every table of any DuckDB file, in parts, with those columns that may hold text."""
    with _open(file, read_only=True) as connection:
        columns: dict[str, list[str]] = {}
        for table, column, kind in connection.execute(COLUMNS).fetchall():
            if any(one in kind for one in TEXTUAL):
                columns.setdefault(table, []).append(_quoted(column))
        for table, names in columns.items():
            selected = f"select {', '.join(names)} from {table}"
            for batch in connection.sql(selected).fetch_arrow_reader(100_000):
                yield pa.Table.from_batches([batch])


def erase(home: Path, traces: Traces) -> bool:
    """Take every row of the members out of the warehouse.

    DuckDB keeps deleted bytes in free blocks of its file, so what is left moves to a new file.
    The one write that is not dbt's. Sums over members stay until dbt builds them again: for that
    the table `erased_days` has the days on which they had events, and no id.

    Returns
    -------
    Whether the next build must be a full refresh, because another member's row changes with theirs:
    it has the id of one of their events, or nobody with a profile is left.
    """
    file = path(home)
    with durable.drafts(home) as drafts:
        fresh = drafts.path / "erased.duckdb"
        with _open(file, read_only=False) as connection:
            is_shared = _record_days(connection, traces)
            had_profiles = _has_rows(connection, PROFILES)
            for name, columns in _member_columns(connection).items():
                condition = _theirs(connection, name, columns, traces)
                connection.execute(f"delete from {name} where {condition}")
            is_last = had_profiles and not _has_rows(connection, PROFILES)
            connection.execute(f"attach {literal(fresh)} as fresh")
            connection.execute(f"copy from database {_quoted(file.stem)} to fresh")
            connection.execute("detach fresh")
        durable.put(fresh, file)
    durable.remove(file.with_name(f"{file.name}.wal"))
    return is_shared or is_last


def _record_days(connection: "duckdb.DuckDBPyConnection", traces: Traces) -> bool:
    """Add the days of the members' events to `erased_days`; whether another row has such an id."""
    columns: dict[str, set[str]] = {}
    for table, column, _ in connection.execute(COLUMNS).fetchall():
        columns.setdefault(table, set()).add(column)
    connection.execute(
        f"create table if not exists {ERASED_DAYS} (received_on date, event_on date)"
    )
    is_shared = False
    for table, names in columns.items():
        if not table.startswith('"main"."base_') or not names >= EVENT_COLUMNS:
            continue
        theirs = _theirs(connection, table, [MEMBER_ID], traces)
        is_shared |= bool(
            connection.execute(
                f"select count(*) from {table} where not ({theirs})"
                f" and event_id in (select event_id from {table} where {theirs})"
            ).fetchall()[0][0]
        )
        if any(name.endswith("title_id") for name in names):
            # A day by a member's clock is the day in UTC, or one beside it.
            connection.execute(
                f"insert into {ERASED_DAYS} select distinct received_at::date,"
                " event_at::date + unnest([-1, 0, 1])"
                f" from {table} where {theirs}"
            )
    return is_shared


def _has_rows(connection: "duckdb.DuckDBPyConnection", table: str) -> bool:
    """Whether a table is there and has a row."""
    tables = {one for one, _, _ in connection.execute(COLUMNS).fetchall()}
    if f'"main".{_quoted(table)}' not in tables:
        return False
    return bool(connection.execute(f"select count(*) from {_quoted(table)}").fetchall()[0][0])


def _member_columns(connection: "duckdb.DuckDBPyConnection") -> dict[str, list[str]]:
    """The columns of member ids of each table that has one."""
    tables: dict[str, list[str]] = {}
    for table, column, _ in connection.execute(COLUMNS).fetchall():
        if is_member_field(column):
            tables.setdefault(table, []).append(column)
    return tables


def _theirs(
    connection: "duckdb.DuckDBPyConnection", table: str, columns: list[str], traces: Traces
) -> str:
    """The condition on which a row of a table is one of the members'.

    The ids are in the temporary table `wanted`, so that one look-up serves all of them.
    """
    found: set[str] = set(traces.texts)
    for column in columns if isinstance(traces, Forgotten) else ():
        distinct = f"select distinct {_quoted(column)}::varchar from {table}"
        found.update(traces.among(one for (one,) in connection.execute(distinct).fetchall()))
    wanted = pa.table({MEMBER_ID: pa.array(sorted(found), pa.string())})
    connection.register("wanted_ids", wanted)
    connection.execute("create or replace temp table wanted as select * from wanted_ids")
    connection.unregister("wanted_ids")
    is_in = "::varchar in (select member_id from temp.wanted)"
    return " or ".join(f"coalesce({_quoted(column)}{is_in}, false)" for column in columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _open(file: Path, *, read_only: bool) -> "Iterator[duckdb.DuckDBPyConnection]":
    import duckdb

    try:
        connection = duckdb.connect(str(file), read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise BusyError(f"{file} is in use: wait for the process that has it open") from None
        raise StorageError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    except duckdb.Error as error:  # damaged
        raise StorageError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    try:
        yield connection
    except duckdb.Error as error:
        raise StorageError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    finally:
        connection.close()


def plant(file: Path, member_id: str) -> None:
    """Write a small DuckDB file that names a member: a control that a search must find."""
    with _open(file, read_only=False) as connection:
        connection.execute("create or replace table planted (member_id varchar)")
        connection.execute("insert into planted values (?)", [member_id])
