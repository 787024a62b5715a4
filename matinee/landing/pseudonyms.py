"""Gives members other names before anything is received, so that outside ids stay outside.

An id becomes a keyed pseudonym: the same for the same id and key, in every file, and nothing
without the key. Event ids, which often spell the member's, are renamed the same way.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from matinee import durable
from matinee.columns import EVENT_ID, MEMBER_ID
from matinee.landing import files, ledger, tombstones
from matinee.landing.contract import Contract
from matinee.landing.discover import discover
from matinee.landing.files import Source, TornError
from matinee.landing.formats.dialect import detect, is_column
from matinee.landing.formats.parquet_tables import texts
from matinee.landing.read import csv_fields, is_utf8, records_of
from matinee.privacy import pseudonym
from matinee.provenance import TooDeepError, parse_json

PREFIXES = {MEMBER_ID: "p", EVENT_ID: "e"}
MARK = "privacy/pseudonymous"
TOO_DEEP = b'{"nested too deep\n'
"""What stands for a line that is nested too deep to be renamed: it is rejected as no record."""
_OURS = re.compile(r"[pe]-[0-9a-f]{32}")

Rename = Callable[[str, Any], Any]


@dataclass
class Renamed:
    """What was done."""

    files: int = 0
    received_before: int = 0
    """Files left alone: their rows are received, under the ids they came with."""
    unreadable: int = 0
    """Lines that are no records; they keep what they say, unless they are nested too deep."""
    torn: int = 0
    """Files that are not whole, or not what their sidecar says: left to be set aside."""

    def summary(self) -> str:
        summary = f"renamed the members of {self.files:,} landing files"
        if self.received_before:
            summary += f"; {self.received_before:,} were received before and keep their ids"
        if self.unreadable:
            summary += f"; {self.unreadable:,} lines cannot be read and keep what they say"
        if self.torn:
            summary += f"; {self.torn:,} files are not whole and will be quarantined"
        return summary


def pseudonymise(home: Path, contract: Contract) -> Renamed:
    """Rename in every landing file that is not received yet; done twice, it changes nothing.

    From then on, every night does it before it receives.
    """
    key = tombstones.key(home)
    mark = home / MARK
    mark.parent.mkdir(parents=True, exist_ok=True)
    if not mark.exists():
        durable.create_once(mark, b"")
    received = {entry.file for entry in ledger.read(home).received}
    done = Renamed()

    for file in discover(home / "landing", contract)[0]:
        columns = contract.streams[file.stream].names
        missing = contract.streams[file.stream].missing_values[file.format]

        def rename(column: str, value: Any, missing: tuple[str, ...] = missing) -> Any:
            if value in (None, "") or str(value).lower() in missing:
                return value  # which is rejected by name
            return _renamed(key, column, str(value))

        if not set(PREFIXES) & set(columns):
            continue
        if file.name in received:
            done.received_before += 1
            continue
        try:
            with durable.drafts(home) as drafts:
                draft = drafts.new()
                expected = files.expected_sha256(file)
                with files.opened(file) as source:
                    unreadable = _write(source, draft, columns, rename)
                    if expected and source.sha256() not in expected:
                        raise TornError("it is not what its sidecar says")
                files.replace(file, draft, drafts)
        except (TornError, pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk, and not what pyarrow says of the bytes
            done.torn += 1
            continue
        done.unreadable += unreadable
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


def _write(source: Source, draft: Path, columns: Iterable[str], rename: Rename) -> int:
    """The file again with other names; how many of its lines could not be read."""
    if source.file.format == "parquet":
        _write_parquet(source, draft, rename)
        return 0
    unreadable: list[bytes] = []
    if source.file.format == "csv":
        text = b"".join(_csv_lines(source, columns, rename, unreadable))
    else:
        text = b"".join(_json_lines(source, rename, unreadable))
    is_packed = source.file.path.suffix == ".gz"
    draft.write_bytes(gzip.compress(text, mtime=0) if is_packed else text)
    return len(unreadable)


def _write_parquet(source: Source, draft: Path, rename: Rename) -> None:
    with ExitStack() as stack:
        file = stack.enter_context(pq.ParquetFile(source.seekable()))
        schema, named = file.schema_arrow, _named(file.schema_arrow.names)
        for place in named.values():  # an id may have come as a number
            schema = schema.set(place, schema.field(place).with_type(pa.string()))
        writer = stack.enter_context(pq.ParquetWriter(draft, schema, compression="zstd"))
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            for name, place in named.items():
                values = [rename(name, _text(value)) for value in texts(rows.column(place))]
                rows = rows.set_column(place, schema.field(place), pa.array(values, pa.string()))
            writer.write_table(rows)


def _text(value: pa.Scalar) -> Any:
    """A cell; None when it is no text, so that its row is refused and no such id is let in."""
    try:
        return value.as_py()
    except UnicodeDecodeError:
        return None


def _json_lines(source: Source, rename: Rename, unreadable: list[bytes]) -> Iterator[bytes]:
    for records in records_of(source, is_quoted=False):
        for line in records.texts():
            try:
                row = parse_json(line)
                row |= {name: rename(name, row[name]) for name in PREFIXES if name in row}
                text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
                yield text.encode() + b"\n"
            except (TooDeepError, RecursionError):  # for Python; DuckDB would read what it names
                unreadable.append(line)
                yield TOO_DEEP
            except (ValueError, TypeError):  # half a surrogate pair is no text
                if line.strip():
                    unreadable.append(line)
                yield line


def _named(names: list[str]) -> dict[str, int]:
    """The columns that are renamed -> their places in a header."""
    return {
        column: place
        for column in PREFIXES
        for place, name in enumerate(names)
        if is_column(name, column)
    }


def _csv_lines(
    source: Source, columns: Iterable[str], rename: Rename, unreadable: list[bytes]
) -> Iterator[bytes]:
    places: dict[str, int] | None = None
    dialect = detect(source.head(), columns)
    before = dialect.lines_before_header
    for records in records_of(source, is_quoted=True, delimiter=dialect.delimiter):
        for record in records.texts():
            if before or not record.strip():
                before = max(before - 1, 0)
                yield record
                continue
            fields = csv_fields(record.decode(errors="replace"), dialect)
            if places is None:
                places = _named(fields)
                yield record
                continue
            if max(places.values(), default=-1) >= len(fields) or not is_utf8(record):
                unreadable.append(record)
                yield record
                continue
            for name, place in places.items():
                fields[place] = rename(name, fields[place])
            out = io.StringIO()
            csv.writer(out, delimiter=dialect.text, lineterminator="\n").writerow(fields)
            yield out.getvalue().encode()
