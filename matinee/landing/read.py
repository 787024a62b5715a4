"""From one landing file to tables of text, block by block, with exact line numbers.

Nothing is guessed and nothing is dropped here: every record comes out as text, numbered by the
line on which it begins (by its row in Parquet), and `check` decides what it is worth. Only empty
lines are no records. JSON lines stay whole, to be taken apart in SQL; CSV and Parquet come out with
one text column per contract column (a list column for lists).
"""

import csv
import gzip
import itertools
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee.errors import told
from matinee.landing import lists
from matinee.landing.contract import Stream

BLOCK_BYTES = 8 << 20
LONGEST_RECORD_BYTES = 32 << 20
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999 in Unix time."""
SHOWN_BYTES = 64 << 10
"""As much of a line that is longer than that is kept, for people to see what it was."""
NEWLINE, RETURN, QUOTE, COMMA = b'\n\r",'

# One CSV record. A quote opens a field only at its start; elsewhere it is a character.
_FIELD = rb'(?:"(?:[^"]++|"")*+"[^,\n]*+|[^",\n][^,\n]*+|)'
_RECORD = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+\n")


class TornError(Exception):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True)
class LandingFile:
    """One file of the landing zone."""

    path: Path
    name: str
    """The path below `landing/`: how the ledger and every row call it."""
    stream: str
    landed_on: date
    format: str
    """`jsonl`, `csv` or `parquet`; compression is told by the path's suffix."""


@dataclass(frozen=True)
class Records:
    """Whole records in one buffer, each from its offset to the next, newline included."""

    data: bytes
    offsets: NDArray[np.int64]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, rows: slice) -> "Records":
        kept = range(len(self))[rows]
        return Records(self.data, self.offsets[kept.start : kept.stop + 1], self.lines[rows])

    def texts(self) -> list[bytes]:
        return [self.data[a:b] for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)]


def open_file(file: LandingFile, stream: Stream) -> tuple[list[str] | None, Iterator[pa.Table]]:
    """The file's columns (None for JSON, where each line has its own) and its rows.

    Raises
    ------
    TornError
        Here or while iterating, when the file is empty, cut or cannot be what its name says.
    """
    if file.path.stat().st_size == 0:
        raise TornError("it is empty")
    if file.format == "parquet":
        return _open_parquet(file, stream)
    if file.format == "csv":
        return _open_csv(file, stream)
    return None, _json_tables(file)


# ---------- records of a text file


def records_of(path: Path, *, is_quoted: bool) -> Iterator[Records]:
    """Blocks of whole records.

    One endless line must not cost the file its other rows: of a JSON line longer than the limit
    only the head comes out, which is no JSON. A CSV record that long is more likely a quote that
    swallowed its neighbours: the file is torn.
    """
    rest, line, size, head = b"", 1, 0, b""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                if size == 0:
                    block = block.removeprefix(b"\xef\xbb\xbf")
                size += len(block)
                if head:
                    _, newline, block = block.partition(b"\n")
                    if not newline:
                        continue
                    yield _split(head + newline, line, is_quoted=False)
                    head, line = b"", line + 1
                records = _split(rest + block, line, is_quoted=is_quoted)
                cut = records.offsets[-1]
                line += records.data.count(b"\n", 0, cut)
                rest = records.data[cut:]
                if len(records):
                    yield records
                if len(rest) > LONGEST_RECORD_BYTES:
                    if is_quoted:
                        limit = LONGEST_RECORD_BYTES >> 20
                        raise TornError(f"the record of line {line} is longer than {limit} MiB")
                    head, rest = _head(rest), b""
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TornError(f"it is cut or not gzip: {error}") from None
    if size == 0:
        raise TornError("it is empty")
    if rest or head:
        records = _split((rest or head) + b"\n", line, is_quoted=is_quoted)
        if len(records) == 0:
            raise TornError(f"the record of line {line} opens a quote that never closes")
        yield records


def _head(record: bytes) -> bytes:
    """The first characters of a record; never an object by themselves."""
    return record[:SHOWN_BYTES].rstrip(b" \t\r}").decode(errors="ignore").encode() or b"?"


def _split(data: bytes, line: int, *, is_quoted: bool) -> Records:
    """The whole records of a buffer that begins on `line`."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(buffer == NEWLINE)
    ends = _record_ends(data, buffer, newlines) if is_quoted else newlines + 1
    offsets = np.concatenate([[0], ends])
    return Records(data, offsets, line + np.searchsorted(newlines, offsets[:-1]))


def _record_ends(
    data: bytes, buffer: NDArray[np.uint8], newlines: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Where CSV records end: at the newlines outside quotes."""
    quotes = np.flatnonzero(buffer == QUOTE)
    opening = quotes[::2]
    before = buffer[opening[opening > 0] - 1]
    if np.isin(before, (NEWLINE, COMMA, QUOTE)).all():
        is_outside = np.searchsorted(quotes, newlines) % 2 == 0
        ends: NDArray[np.int64] = newlines[is_outside] + 1
        return ends
    # A quote inside an unquoted field, as in 12" vinyl: go record by record.
    found, position = [], 0
    while match := _RECORD.match(data, position):
        position = match.end()
        found.append(position)
    return np.array(found, dtype=np.int64)


def as_text(records: Records) -> pa.Table:
    """One row a record: line, raw_text, and `broken` where the bytes are not UTF-8."""
    texts = pa.Array.from_buffers(
        pa.string(),
        len(records),
        [None, pa.py_buffer(records.offsets.astype(np.int32)), pa.py_buffer(records.data)],
    )
    broken = pa.nulls(len(records), pa.string())
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raw = records.texts()
        broken = pa.array([None if is_utf8(text) else "invalid_utf8" for text in raw], pa.string())
        texts = pa.array([text.decode(errors="replace") for text in raw], pa.string())
    return pa.table({"line": records.lines, "raw_text": texts, "broken": broken})


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_empty_lines(table: pa.Table) -> pa.Table:
    is_empty = pc.is_in(table["raw_text"], pa.array(["\n", "\r\n"]))
    return table.filter(pc.invert(is_empty)) if pc.any(is_empty).as_py() else table


def _with_file(table: pa.Table, file: LandingFile) -> pa.Table:
    """Say of every row where it came from."""
    names = pa.DictionaryArray.from_arrays(
        pa.repeat(pa.scalar(0, pa.int32()), len(table)), pa.array([file.name])
    )
    days = pa.repeat(pa.scalar(file.landed_on, pa.date32()), len(table))
    return table.add_column(0, "file", names).add_column(1, "landed_on", days)


# ---------- JSON lines


def _json_tables(file: LandingFile) -> Iterator[pa.Table]:
    for records in records_of(file.path, is_quoted=False):
        yield _with_file(_without_empty_lines(as_text(records)), file)


# ---------- CSV


def _open_csv(file: LandingFile, stream: Stream) -> tuple[list[str], Iterator[pa.Table]]:
    blocks = records_of(file.path, is_quoted=True)
    first = next(blocks)
    try:
        text = first.texts()[0].decode()
    except UnicodeDecodeError as error:
        raise TornError(f"its header cannot be read: {error}") from None
    header = [name.strip() for name in csv_fields(text)]
    if not header:
        raise TornError("its header cannot be read: lines end in \\n or \\r\\n, not in \\r alone")
    if twice := sorted(name for name, times in Counter(header).items() if times > 1):
        raise TornError(f"its header has {told(twice[0])!r} twice")

    def tables() -> Iterator[pa.Table]:
        for records in itertools.chain([first[1:]], blocks):
            if len(records):
                yield _with_file(_csv_table(records, header, stream), file)

    return header, tables()


def _csv_table(records: Records, header: list[str], stream: Stream) -> pa.Table:
    table = _without_empty_lines(as_text(records))
    fields = _parse_csv(records, header) if table["broken"].null_count == len(table) else None
    if fields is None or len(fields) != len(table):
        fields, broken = _parse_csv_by_record(table, header)
        table = table.set_column(2, "broken", broken)
    for column in stream.columns:
        is_list = column.data_type == "varchar[]"
        if column.name not in header:
            values = pa.nulls(len(table), pa.list_(pa.string()) if is_list else pa.string())
        else:
            values = fields[column.name]
            if is_list:
                values, is_broken = lists.split(values, stream.missing_values["csv"])
                rule = pc.if_else(is_broken, f"mistyped_field:{column.name}", None)
                table = table.set_column(2, "broken", pc.coalesce(table["broken"], rule))
        table = table.append_column(f"text_{column.name}", values)
    return table


def _parse_csv(records: Records, header: list[str]) -> pa.Table | None:
    """All fields as text, fast; None when a record has too few or too many."""
    data = pa.py_buffer(records.data)[records.offsets[0] : records.offsets[-1]]
    try:
        return pacsv.read_csv(
            pa.BufferReader(data),
            pacsv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=header),
            pacsv.ParseOptions(newlines_in_values=True),
            pacsv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(header, pa.string())),
        )
    except pa.ArrowInvalid:
        return None


def _parse_csv_by_record(table: pa.Table, header: list[str]) -> tuple[pa.Table, pa.Array]:
    """The same, one record at a time: exact on which record is broken."""
    rows: list[list[str | None]] = []
    broken: list[str | None] = []
    for text, rule in zip(table["raw_text"].to_pylist(), table["broken"].to_pylist(), strict=True):
        row = csv_fields(text)
        is_whole = len(row) == len(header)
        broken.append(rule if is_whole or rule else "unreadable_line")
        rows.append([*row] if is_whole else [None] * len(header))
    columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    return pa.table(columns, names=header), pa.array(broken, pa.string())


def csv_fields(record: str) -> list[str]:
    """The fields of one record; none when it cannot be one, as with a return outside quotes."""
    csv.field_size_limit(LONGEST_RECORD_BYTES + BLOCK_BYTES)  # of the process, so on each call
    try:
        rows = list(csv.reader([record]))
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


# ---------- Parquet


def _open_parquet(file: LandingFile, stream: Stream) -> tuple[list[str], Iterator[pa.Table]]:
    try:
        # The old INT96 overflows in nanoseconds.
        parquet = pq.ParquetFile(file.path, coerce_int96_timestamp_unit="us")
    except (pa.ArrowException, OSError) as error:
        raise TornError(f"it is cut or not Parquet: {error}") from None
    names = list(parquet.schema_arrow.names)

    def tables() -> Iterator[pa.Table]:
        line = 1
        try:
            for batch in parquet.iter_batches(columns=[n for n in stream.names if n in names]):
                yield _with_file(_parquet_table(batch, line, stream), file)
                line += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise TornError(f"its Parquet cannot be read: {error}") from None

    return names, tables()


def _parquet_table(batch: pa.RecordBatch, line: int, stream: Stream) -> pa.Table:
    broken: pa.Array = pa.nulls(len(batch), pa.string())
    columns = {}
    for column in stream.columns:
        target = pa.list_(pa.string()) if column.data_type == "varchar[]" else pa.string()
        if column.name not in batch.schema.names:
            columns[f"text_{column.name}"] = pa.nulls(len(batch), target)
            continue
        values = _to_text(batch.column(column.name), target, column.name)
        try:
            values.validate(full=True)
        except pa.ArrowInvalid:
            raw = values.cast(pa.list_(pa.binary()) if target != pa.string() else pa.binary())
            decoded = [_decode(value) for value in raw.to_pylist()]
            values = pa.array([value for value, _ in decoded], target)
            is_whole = pa.array([is_utf8 for _, is_utf8 in decoded])
            broken = pc.if_else(is_whole, broken, "invalid_utf8")
        columns[f"text_{column.name}"] = values
    return pa.table(
        {
            "line": np.arange(line, line + len(batch)),
            "raw_text": pa.nulls(len(batch), pa.string()),
            "broken": broken,
            **columns,
        }
    )


def _to_text(values: pa.Array, target: pa.DataType, name: str) -> pa.Array:
    """A column as text that has the value's full meaning; UTF-8 is not yet checked."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        values = _instants(values)
    try:
        # Unsafe to text means: bytes of any type as they are, UTF-8 or not.
        return values.cast(target, safe=False)
    except pa.ArrowNotImplementedError:
        wanted = "a list" if pa.types.is_list(target) else "one value"
        raise TornError(f"its column {name} is {kind}, where {wanted} is asked for") from None


def _instants(values: pa.Array) -> pa.Array:
    """Timestamps of any unit as UTC; what four digits of a year cannot hold is at their ends.

    One without a zone is UTC too: Parquet has no other way to leave the zone out.
    """
    kind = values.type
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    first, last = (
        max(-(2**63), min(2**63 - 1, second * per_second)) for second in (FIRST_SECOND, LAST_SECOND)
    )
    counts = pc.max_element_wise(values.cast(pa.int64()), first, skip_nulls=False)
    counts = pc.min_element_wise(counts, last, skip_nulls=False)
    return counts.cast(pa.timestamp(kind.unit)).cast(pa.timestamp("us", "UTC"), safe=False)


def _decode(value: Any) -> tuple[Any, bool]:
    """A text, or list of texts, from bytes, and whether all of it was UTF-8."""
    if value is None:
        return None, True
    if isinstance(value, bytes):
        return value.decode(errors="replace"), is_utf8(value)
    pairs = [_decode(part) for part in value]
    return [part for part, _ in pairs], all(is_utf8 for _, is_utf8 in pairs)
