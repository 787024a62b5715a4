"""Writes the feature tables as files, for Feast."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matinee import durable
from matinee.columns import OBSERVED_AT
from matinee.duckdb_paths import literal
from matinee.errors import DataError
from matinee.provenance import parse_json
from matinee.warehouse.reading import connect, path

if TYPE_CHECKING:
    import duckdb


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


Part = list[Any]
"""The number of rows of a file, the sum of their hashes, and its sha256."""


@dataclass(frozen=True)
class Exported:
    """One feature table as a folder of files."""

    table: str
    path: Path
    rows: int


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
