"""Reads what dbt built, over short read-only connections: dbt is the only writer."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from matinee import durable
from matinee.columns import MEMBER_ID, OBSERVED_AT
from matinee.duckdb_paths import literal
from matinee.errors import BusyError, DataError, StorageError
from matinee.privacy import Forgotten, Traces, is_member_field
from matinee.provenance import parse_json

if TYPE_CHECKING:
    import duckdb

NAME = re.compile(r"[a-z][a-z0-9_]*")

SUMMED = frozenset(
    {
        "member_activity_stats",
        "member_dayparts",
        "member_search_intents",
        "member_tastes",
        "member_title_signals",
        "title_popularity_stats",
    }
)
"""Feature tables whose first changed day is in `int_first_days__changed`. The others are small, and
compared whole."""

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

Part = list[Any]
"""The number of rows of a file, the sum of their hashes, and its sha256."""


@dataclass(frozen=True)
class Exported:
    """One feature table as a folder of files."""

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


def export_features(home: Path) -> list[Exported]:
    """Write every feature table to the folder `features/<table>.parquet`, one file a month.

    A feature table is one with the feature clock, `observed_at`. Rows are by key and then time, and
    instants become TIMESTAMPTZ, which Feast expects. Only months whose rows or columns differ from
    their file are written, each whole or not at all; `features/exported.json` has the build they
    are of, the columns, and of each file the number of rows, the sum of their hashes, and the
    sha256.
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
        shown = _shown(folder)
        lost = _drop_lost(folder, shown)
        build, first_month = _changes(connection, shown["build"])
        columns = {name: dict(zip(names, types, strict=True)) for name, names, types in found}
        # A table whose columns have other names or types is written whole.
        before = {
            name: parts
            for name, parts in shown["tables"].items()
            if shown.get("columns", {}).get(name) == columns.get(name)
        }
        tables = {
            name: _export(
                connection,
                folder / f"{name}.parquet",
                columns[name],
                before.get(name, {}),
                min(first_month, lost.get(name, first_month))
                if name in SUMMED and name in before
                else "",
            )
            for name in columns
        }
    text = json.dumps({"build": build, "columns": columns, "tables": tables}) + "\n"
    durable.replace(folder / "exported.json", text.encode())
    return [
        Exported(name, folder / f"{name}.parquet", sum(rows for rows, *_ in parts.values()))
        for name, parts in tables.items()
    ]


def _shown(folder: Path) -> dict[str, Any]:
    """The content of `exported.json`; empty when it is none."""
    try:
        shown: dict[str, Any] = parse_json((folder / "exported.json").read_bytes())
        [sha256 for parts in shown["tables"].values() for _, (*_, sha256) in parts.items()]
        shown["build"]
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {"build": None, "tables": {}}
    return shown


def _drop_lost(folder: Path, shown: dict[str, Any]) -> dict[str, str]:
    """Drop files that are not as they were written; the first such month by table."""
    lost: dict[str, str] = {}
    for name, parts in shown["tables"].items():
        for month, (*_, sha256) in sorted(parts.items()):
            file = folder / f"{name}.parquet" / f"{month}.parquet"
            if not file.is_file() or _sha256(file) != sha256:
                del parts[month]
                lost.setdefault(name, month)
    return lost


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _changes(connection: "duckdb.DuckDBPyConnection", shown: int | None) -> tuple[int | None, str]:
    """The number of the build, and the first month in which it may differ from the one shown."""
    import duckdb

    try:
        build, since, first_month = connection.execute(
            "select build_number, since_build, strftime(least(first_summed_day, "
            "(select min(received_on) from int_received_days__expired)), '%Y-%m') "
            "from last_build, int_first_days__changed"
        ).fetchall()[0]
    except duckdb.CatalogException:  # a warehouse without a count of builds
        return None, ""
    return build, first_month if since == shown else ""


def _export(
    connection: "duckdb.DuckDBPyConnection",
    folder: Path,
    columns: Mapping[str, str],
    shown: Mapping[str, Part],
    first_month: str,
) -> dict[str, Part]:
    """Bring the files of a table up to date, from the first month that may have changed."""
    if folder.is_file():  # as older versions wrote it
        folder.unlink()
    folder.mkdir(exist_ok=True)
    found = connection.execute(
        f"select date_trunc('month', {OBSERVED_AT})::date, count(*), "
        f"sum(hash({', '.join(columns)})::hugeint)::varchar "
        f"from {folder.stem} where {OBSERVED_AT} >= ?::timestamp group by 1 order by 1",
        [f"{first_month or '0001-01'}-01"],
    ).fetchall() or [(date.min, 0, "")]  # an empty file has columns still
    parts = {name: part for name, part in shown.items() if name < first_month}
    for month, rows, hashes in found:
        name = month.isoformat()[:7]
        part = shown.get(name)
        if part is None or part[:2] != [rows, hashes]:
            part = [rows, hashes, _write(connection, folder, columns, month)]
        parts[name] = part
    for file in folder.iterdir():
        if file.stem not in parts:
            file.unlink()
    return parts


def _write(
    connection: "duckdb.DuckDBPyConnection", folder: Path, columns: Mapping[str, str], month: date
) -> str:
    """Write the file of a month, and return its sha256."""
    selected = ", ".join(
        f"{column} at time zone 'UTC' as {column}" if kind == "TIMESTAMP" else column
        for column, kind in columns.items()
    )
    keys = [column for column in columns if column.endswith("_id")]
    ordered = (
        f"select {selected} from (from {folder.stem} where {OBSERVED_AT} >= timestamp '{month}' "
        f"and {OBSERVED_AT} < timestamp '{month}' + interval 1 month) "
        f"order by {', '.join([*keys, OBSERVED_AT])}"
    )
    file = folder / f"{month.isoformat()[:7]}.parquet"
    staged = folder.parent / f".{folder.stem}.{file.name}.new"
    connection.execute(f"copy ({ordered}) to {literal(staged)} (format parquet)")
    durable.put(staged, file)
    return _sha256(file)


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
