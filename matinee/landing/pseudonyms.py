"""Gives members other names before anything is received, so that outside ids stay outside.

An id becomes a keyed pseudonym: the same for the same id and key, in every file, and nothing
without the key. Event ids, which often spell the member's, are renamed the same way.
"""

import csv
import gzip
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from matinee.columns import EVENT_ID, MEMBER_ID
from matinee.landing import erasure, ledger, tombstones
from matinee.landing.contract import Contract
from matinee.landing.dialect import TornError
from matinee.landing.discover import discover, expected_sha256
from matinee.landing.read import LandingFile, csv_fields, is_utf8, records_of
from matinee.landing.write import digest
from matinee.privacy import pseudonym

PREFIXES = {MEMBER_ID: "p", EVENT_ID: "e"}
MARK = "privacy/pseudonymous"
_OURS = re.compile(r"[pe]-[0-9a-f]{32}")

Rename = Callable[[str, Any], Any]


@dataclass
class Renamed:
    """What was done."""

    files: int = 0
    received_before: int = 0
    """Files left alone: their rows are received, under the ids they came with."""
    unreadable: int = 0
    """Lines that are no records; they keep what they say."""
    torn: int = 0
    """Files that are not whole, or not what their sidecar says: left to be set aside."""

    def summary(self) -> str:
        told = f"renamed the members of {self.files:,} landing files"
        if self.received_before:
            told += f"; {self.received_before:,} were received before and keep their ids"
        if self.unreadable:
            told += f"; {self.unreadable:,} lines cannot be read and keep what they say"
        if self.torn:
            told += f"; {self.torn:,} files are not whole and will be set aside"
        return told


def pseudonymise(home: Path, contract: Contract) -> Renamed:
    """Rename in every landing file that is not received yet; done twice, it changes nothing.

    From then on, every night does it before it receives.
    """
    key = tombstones.key(home)
    mark = home / MARK
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    received = {entry.file for entry in ledger.read(home).received}
    done = Renamed()

    def rename(column: str, value: Any) -> Any:
        return value if value in (None, "") else _renamed(key, column, str(value))

    for file in discover(home / "landing", contract)[0]:
        if not set(PREFIXES) & set(contract.streams[file.stream].names):
            continue
        if file.name in received:
            done.received_before += 1
            continue
        if expected_sha256(file.path) not in (None, digest(file.path)):
            done.torn += 1
            continue
        draft = file.path.with_name(f".{file.path.name}.renaming")
        try:
            done.unreadable += _write(file, draft, rename)
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            erasure.put(draft, file.path)
        except (TornError, pa.ArrowException):
            done.torn += 1
            continue
        finally:
            draft.unlink(missing_ok=True)
        done.files += 1
    return done


def is_wanted(home: Path) -> bool:
    """Whether this home holds no outside ids."""
    return (home / MARK).exists()


def name_of(home: Path, outside_id: str) -> str:
    """What a member of an outside system is called here."""
    return _renamed(tombstones.key(home), MEMBER_ID, outside_id)


def _renamed(key: bytes, column: str, value: str) -> str:
    if _OURS.fullmatch(value):
        return value
    return f"{PREFIXES[column]}-{pseudonym(key, value, use=column)}"


def _write(file: LandingFile, draft: Path, rename: Rename) -> int:
    """The file again with other names; how many of its lines could not be read."""
    if file.format == "parquet":
        _write_parquet(file.path, draft, rename)
        return 0
    unreadable: list[bytes] = []
    lines = _csv_lines if file.format == "csv" else _json_lines
    text = b"".join(lines(file.path, rename, unreadable))
    draft.write_bytes(gzip.compress(text, mtime=0) if file.path.suffix == ".gz" else text)
    return len(unreadable)


def _write_parquet(path: Path, draft: Path, rename: Rename) -> None:
    with (
        pq.ParquetFile(path) as source,
        pq.ParquetWriter(draft, source.schema_arrow, compression="zstd") as writer,
    ):
        for group in range(source.num_row_groups):
            rows = source.read_row_group(group)
            for name in set(PREFIXES) & set(rows.column_names):
                at = rows.column_names.index(name)
                field = rows.schema.field(at)
                values = [rename(name, _text(value)) for value in rows[name]]
                rows = rows.set_column(at, field, pa.array(values, field.type))
            writer.write_table(rows)


def _text(value: pa.Scalar) -> Any:
    """A cell; None when it is no text, so that its row is refused and no such id is let in."""
    try:
        return value.as_py()
    except UnicodeDecodeError:
        return None


def _json_lines(path: Path, rename: Rename, unreadable: list[bytes]) -> Iterator[bytes]:
    for records in records_of(path, is_quoted=False):
        for line in records.texts():
            try:
                row = json.loads(line)
                row |= {name: rename(name, row[name]) for name in PREFIXES if name in row}
                text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
                yield text.encode() + b"\n"
            except (ValueError, TypeError, RecursionError):  # half a surrogate pair is no text
                if line.strip():
                    unreadable.append(line)
                yield line


def _csv_lines(path: Path, rename: Rename, unreadable: list[bytes]) -> Iterator[bytes]:
    places: dict[str, int] | None = None
    for records in records_of(path, is_quoted=True):
        for record in records.texts():
            fields = csv_fields(record.decode(errors="replace"))
            if places is None:
                names = [name.strip() for name in fields]
                places = {name: names.index(name) for name in PREFIXES if name in names}
                yield record
                continue
            if not record.strip():
                yield record
                continue
            if max(places.values(), default=-1) >= len(fields) or not is_utf8(record):
                unreadable.append(record)
                yield record
                continue
            for name, place in places.items():
                fields[place] = rename(name, fields[place])
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerow(fields)
            yield out.getvalue().encode()
