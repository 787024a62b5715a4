"""Searches every file of a home for member ids: text, compressed, Parquet, databases, raw bytes."""

from __future__ import annotations

import gzip
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import landing, warehouse
from matinee.privacy import Traces
from matinee.releases.lease import NOTES

TEXT_SUFFIXES = {".json", ".jsonl", ".csv", ".txt", ".md", ".html", ".log", ".sql", ".yml"}

SQLITE = b"SQLite format 3\0"

DUCKDB = b"DUCK"

COMPRESSED_SUFFIXES = {".parquet", ".gz"}

ARCHIVE_SIGNATURES = (
    b"PK\x03\x04",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf",
    b"\x04\x22\x4d\x18",
)
"""First bytes of zip, bzip2, xz, zstd, 7z and lz4: matinee writes none and cannot search them."""

CONTROL_FOLDER = ".control"
"""Folder of the planted files that a search must find: the positive control."""


def search(home: Path, traces: Traces, *, exclude: frozenset[str] = frozenset()) -> dict[str, int]:
    """Path below `home` of every file that names a member -> number of such rows.

    A file is parsed by its format, then its raw bytes are searched too. A compressed file that
    cannot be parsed counts as one row, because it may name a member.
    """
    rows_by_file: dict[str, int] = {}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if path.is_file() and not path.is_symlink() and name not in exclude | NOTES:
            rows = _rows(path, traces) + traces.in_text(os.fsencode(name))
            if rows:
                rows_by_file[name] = rows
    return rows_by_file


def by_store(rows_by_file: Mapping[str, int]) -> dict[str, int]:
    """Rows by top-level folder of the home."""
    stores: Counter[str] = Counter()
    for name, rows in rows_by_file.items():
        stores[name.partition("/")[0]] += rows
    return dict(sorted(stores.items()))


@contextmanager
def planted_control(home: Path, member_id: str) -> Iterator[list[str]]:
    """Plant the id in a file of every format in a home while the block runs; yields their names."""
    folder = home / CONTROL_FOLDER
    line = f'{{"member_id":"{member_id}"}}\n'.encode()
    files = ["plain.jsonl", "packed.jsonl.gz", "typed.parquet", "online.db", "raw.npy", "w.duckdb"]
    try:
        folder.mkdir(exist_ok=True)
        (folder / files[0]).write_bytes(line)
        (folder / files[1]).write_bytes(gzip.compress(line))
        pq.write_table(pa.table({"member_id": [member_id]}), folder / files[2], compression="zstd")
        with closing(sqlite3.connect(folder / files[3])) as connection, connection:
            connection.execute("create table planted (member_id text)")
            connection.execute("insert into planted values (?)", (member_id,))
        planted = [f"{CONTROL_FOLDER}/{name}" for name in files[:4]]
        if Traces.of([member_id]).distinctive:
            (folder / files[4]).write_bytes(b"\x93NUMPY" + member_id.encode() + b"\0")
            planted.append(f"{CONTROL_FOLDER}/{files[4]}")
        warehouse.plant(folder / files[5], member_id)
        yield [*planted, f"{CONTROL_FOLDER}/{files[5]}"]
    finally:
        for name in files:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def _rows(path: Path, traces: Traces) -> int:
    with path.open("rb") as file:
        head = file.read(16)
    if not _is_utf8(path) and (head.startswith((SQLITE, b"PAR1")) or head[8:12] == DUCKDB):
        return 1  # no library opens it by such a name
    if head.startswith(SQLITE):
        return _sqlite_rows(path, traces) or _bytes_rows(path, traces)
    if head[8:12] == DUCKDB:
        return sum(warehouse.search(path, traces).values()) or _bytes_rows(path, traces)
    if head.startswith(b"PAR1"):
        return _parquet_rows(path, traces)
    if head.startswith(b"\x1f\x8b"):
        return _gzip_rows(path, traces)
    if head.startswith(ARCHIVE_SIGNATURES) or path.suffix in COMPRESSED_SUFFIXES:
        return 1
    if path.suffix in TEXT_SUFFIXES:
        with path.open("rb") as file:
            return sum(1 for line in file if traces.in_text(line))
    return _bytes_rows(path, traces)


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _parquet_rows(path: Path, traces: Traces) -> int:
    try:
        with pq.ParquetFile(path) as file:
            rows = sum(
                int(landing.mask(pa.Table.from_batches([batch]), traces).sum())
                for batch in file.iter_batches()
            )
    except (pa.ArrowException, OSError):
        return 1
    return rows or _bytes_rows(path, traces)


def _gzip_rows(path: Path, traces: Traces) -> int:
    rows = 0
    try:
        with gzip.open(path) as file:
            for line in file:
                rows += traces.in_text(line)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return rows or 1  # truncated: the rest may name a member
    return rows


def _sqlite_rows(path: Path, traces: Traces) -> int:
    rows = 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'select * from "{table}"'):
                rows += any(_names(cell, traces) for cell in row)
    return rows


def _names(cell: object, traces: Traces) -> bool:
    if isinstance(cell, str):
        return cell in traces.ids or traces.in_text(cell.encode())
    # A Feast key contains the id between length fields.
    return isinstance(cell, bytes) and (traces.in_text(cell) or traces.in_bytes(cell))


def _bytes_rows(path: Path, traces: Traces) -> int:
    return int(traces.in_bytes(path.read_bytes()))
