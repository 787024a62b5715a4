"""How a file gets into the landing zone: whole, or not at all, and never changed."""

import hashlib
import os
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import durable
from matinee.errors import ConfigError, DataError

if TYPE_CHECKING:
    import duckdb

Format = Literal["jsonl", "jsonl.gz", "csv", "csv.gz", "parquet"]


def write(
    home: Path, stream: str, landed_on: date, table: pa.Table, name: str, format: Format = "parquet"
) -> Path:
    """Put `table` at `landing/<stream>/dt=<landed_on>/<name>.<format>` and return the path.

    Equal tables give equal bytes, and the same content may be written again.

    Raises
    ------
    DataError
        When the file exists with other bytes: landing files are immutable.
    """
    if format not in get_args(Format):
        raise ConfigError(f"format must be one of {', '.join(get_args(Format))}, got {format}")
    if format == "parquet":
        return place(
            home,
            stream,
            landed_on,
            f"{name}.{format}",
            lambda path: pq.write_table(table, path, compression="zstd"),
        )
    return place(
        home, stream, landed_on, f"{name}.{format}", lambda path: _copy(table, path, format)
    )


def place(
    home: Path, stream: str, landed_on: date, filename: str, fill: Callable[[Path], object]
) -> Path:
    """Let `fill` write a file in a private folder, then put it in place in one step.

    Raises
    ------
    DataError
        When the file exists with other bytes, or the way to it leads over a link.
    """
    landing, names = home / "landing", [stream, f"dt={landed_on.isoformat()}"]
    path = landing.joinpath(*names, filename)
    landing.mkdir(parents=True, exist_ok=True)
    with durable.drafts(home) as drafts:
        draft = drafts.new()
        fill(draft)
        try:
            with durable.folder(landing, names, make=True) as folder:
                if not durable.has_name(filename, folder):
                    durable.put(draft, path, folder=folder)
                    return path
                with os.fdopen(durable.open_plain(filename, folder), "rb") as there:
                    before = hashlib.file_digest(there, "sha256")
        except durable.NotPlainError as error:
            raise DataError(f"{path} cannot be written ({error}): remove the link") from None
        with draft.open("rb") as written:
            after = hashlib.file_digest(written, "sha256")
    if before.digest() != after.digest():
        raise DataError(f"{path} is there with other bytes: land it under another name")
    return path


def _copy(table: pa.Table, path: Path, format: Format) -> None:
    """Write rows as text: timestamps in ISO 8601 with Z, lists as arrays or, in CSV, with |."""
    is_csv = format.startswith("csv")
    columns = []
    for field in table.schema:
        column = f'"{field.name}"'
        if pa.types.is_timestamp(field.type):
            columns.append(f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ') as {column}")
        elif is_csv and pa.types.is_list(field.type):
            columns.append(f"array_to_string({column}, '|') as {column}")
        else:
            columns.append(column)
    options = ["format csv, header" if is_csv else "format json"]
    options.append("compression gzip" if format.endswith(".gz") else "compression none")
    with _database().cursor() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("rows", table)
        connection.execute(
            f"copy (select {', '.join(columns)} from rows) to $path ({', '.join(options)})",
            {"path": str(path)},
        )


@cache
def _database() -> "duckdb.DuckDBPyConnection":
    """A database in memory that writes files; to open one takes longer than to write a small file.

    One thread: rows keep their order and the bytes depend on the table alone.
    """
    import duckdb

    return duckdb.connect(config={"threads": 1})
