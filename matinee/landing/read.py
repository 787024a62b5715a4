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
import uuid
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
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
from matinee.landing.dialect import Dialect, TornError, detect, folded, head, require_text

BLOCK_BYTES = 8 << 20
LONGEST_RECORD_BYTES = 32 << 20
FIRST_RECORDS = 100
"""Among so many one is not empty, as a rule."""
PLAIN_CSV = Dialect()
LARGEST_EXACT_BITS = 53
"""Whole numbers that a double holds one by one."""
TORN_PARQUET = (pa.ArrowException, OSError, ValueError, TypeError, LookupError, OverflowError)
"""What the reader raises on a file that somebody damaged, or wrote in a way it does not know."""
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999 in Unix time."""
SHOWN_BYTES = 64 << 10
"""As much of a line that is longer than that is kept, for people to see what it was."""
NEWLINE, RETURN, QUOTE = b'\n\r"'


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


@dataclass(frozen=True)
class Opened:
    """What a file holds, and how it is read."""

    tables: Iterator[pa.Table]
    columns: list[str] | None = None
    """By the names of the contract where a name is one; None for JSON: each line has its own."""
    notes: tuple[str, ...] = ()
    """What was read in another way than it is written."""


def open_file(file: LandingFile, stream: Stream) -> Opened:
    """The rows of a file, and how they are read.

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
    return Opened(_json_tables(file))


# ---------- records of a text file


def records_of(path: Path, *, is_quoted: bool, delimiter: bytes = b",") -> Iterator[Records]:
    """Blocks of whole records; `delimiter` says where a quote may open a field.

    One endless line must not cost the file its other rows: of a JSON line longer than the limit
    only the head comes out, which is no JSON. A CSV record that long is more likely a quote that
    swallowed its neighbours: the file is torn.
    """
    quoted_after = delimiter if is_quoted else None
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
                    yield _split(head + newline, line, None)
                    head, line = b"", line + 1
                records = _split(rest + block, line, quoted_after)
                cut = records.offsets[-1]
                line += records.data.count(b"\n", 0, cut)
                rest = records.data[cut:]
                if len(records):
                    yield records
                if len(rest) > LONGEST_RECORD_BYTES:
                    if is_quoted:
                        limit = LONGEST_RECORD_BYTES >> 20
                        raise TornError(
                            f"the record of line {line} is longer than {limit} MiB",
                            rest.partition(b"\n")[0].decode(errors="replace"),
                        )
                    head, rest = _head(rest), b""
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TornError(f"it is cut or not gzip: {error}") from None
    if size == 0:
        raise TornError("it is empty")
    if rest or head:
        records = _split((rest or head) + b"\n", line, quoted_after)
        if len(records) == 0:
            raise TornError(
                f"the record of line {line} opens a quote that never closes",
                rest.partition(b"\n")[0].decode(errors="replace"),
            )
        yield records


def _head(record: bytes) -> bytes:
    """The first characters of a record; never an object by themselves."""
    return record[:SHOWN_BYTES].rstrip(b" \t\r}").decode(errors="ignore").encode() or b"?"


def _split(data: bytes, line: int, quoted_after: bytes | None) -> Records:
    """The whole records of a buffer that begins on `line`."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(buffer == NEWLINE)
    ends = newlines + 1 if quoted_after is None else _record_ends(data, newlines, quoted_after)
    offsets = np.concatenate([[0], ends])
    return Records(data, offsets, line + np.searchsorted(newlines, offsets[:-1]))


def _record_ends(data: bytes, newlines: NDArray[np.int64], delimiter: bytes) -> NDArray[np.int64]:
    """Where CSV records end: at the newlines outside quotes."""
    quotes = _paired_quotes(data, delimiter)
    if quotes is not None:
        is_outside = np.searchsorted(quotes, newlines) % 2 == 0
        ends: NDArray[np.int64] = newlines[is_outside] + 1
        return ends
    # A quote inside a field, as in 12" vinyl: go record by record.
    pattern = _record_pattern(delimiter)
    found, position = [], 0
    while match := pattern.match(data, position):
        position = match.end()
        found.append(position)
    return np.array(found, dtype=np.int64)


def _paired_quotes(data: bytes, delimiter: bytes) -> NDArray[np.int64] | None:
    """Where the quotes are, when each one opens a field, ends one or is doubled; None else."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(buffer == QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    before = buffer[opening[opening > 0] - 1]
    after = buffer[closing[closing < len(buffer) - 1] + 1]
    edge = (NEWLINE, QUOTE, delimiter[0])
    is_paired = np.isin(before, edge).all() and np.isin(after, (*edge, RETURN)).all()
    return quotes if is_paired else None


@cache
def _record_pattern(delimiter: bytes) -> re.Pattern[bytes]:
    """One CSV record. A quote opens a field only at its start; elsewhere it is a character."""
    part = re.escape(delimiter)
    other = rb"[^" + part + rb"\n]*+"
    field = rb'(?:"(?:[^"]++|"")*+"' + other + rb'|[^"' + part + rb"\n]" + other + rb"|)"
    return re.compile(field + rb"(?:" + part + field + rb")*+\n")


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
    require_text(head(file.path), is_json=True)
    for records in records_of(file.path, is_quoted=False):
        yield _with_file(_without_empty_lines(as_text(records)), file)


# ---------- CSV


@dataclass(frozen=True)
class _Header:
    """The columns of a CSV file, and how its records are taken apart."""

    names: list[str]
    """By the contract; what follows the last name is not counted."""
    dialect: Dialect
    stream: Stream

    def parse(self, record: str) -> list[str]:
        """The fields of one record that have a name; none when it cannot be one."""
        row = csv_fields(record, self.dialect)
        is_whole = len(row) >= len(self.names) and not any(row[len(self.names) :])
        return row[: len(self.names)] if is_whole else []


def _open_csv(file: LandingFile, stream: Stream) -> Opened:
    start = head(file.path)
    require_text(start, is_json=False)
    dialect = detect(start, stream)
    blocks = records_of(file.path, is_quoted=True, delimiter=dialect.delimiter)
    first = next(blocks)
    place = dialect.lines_before_header
    texts = first.texts()
    while place < len(texts) - 1 and not texts[place].strip():
        place += 1
    try:
        text = texts[place].decode()
    except (UnicodeDecodeError, IndexError) as error:
        raise TornError(f"its header cannot be read: {error}") from None
    as_written = [name.strip() for name in csv_fields(text, dialect)]
    if not as_written:
        raise TornError("its header cannot be read", text)
    names, notes = _named(as_written, stream)
    while names and not names[-1]:
        names.pop()
    header = _Header(names, dialect, stream)
    notes = (*dialect.notes(), *notes)

    def tables() -> Iterator[pa.Table]:
        for records in itertools.chain([first[place + 1 :]], blocks):
            if len(records):
                yield _with_file(_csv_table(records, header), file)

    return Opened(tables(), [name for name in names if name], notes)


def _csv_table(records: Records, header: _Header) -> pa.Table:
    table = _without_empty_lines(as_text(records))
    fields = None
    if table["broken"].null_count == len(table):
        fields = _parse_csv(records, header)
    if fields is None or len(fields) != len(table):
        fields, broken = _parse_csv_by_record(table, header)
        table = table.set_column(2, "broken", broken)
    table = _without_swallowed_records(table, fields, header)
    for column in header.stream.columns:
        is_list = column.data_type == "varchar[]"
        if column.name not in header.names:
            values = pa.nulls(len(table), pa.list_(pa.string()) if is_list else pa.string())
        else:
            values = fields[column.name]
            if header.dialect.is_padded:
                values = pc.utf8_ltrim(values, " ")
            if is_list:
                values, is_broken = lists.split(values, header.stream.missing_values["csv"])
                rule = pc.if_else(is_broken, f"mistyped_field:{column.name}", None)
                table = table.set_column(2, "broken", pc.coalesce(table["broken"], rule))
        table = table.append_column(f"text_{column.name}", values)
    return table


def _parse_csv(records: Records, header: _Header) -> pa.Table | None:
    """All fields as text, fast; None when a record has too few or too many, or stray quotes."""
    data = pa.py_buffer(records.data)[records.offsets[0] : records.offsets[-1]]
    if _paired_quotes(data.to_pybytes(), header.dialect.delimiter) is None:
        return None
    width = max(len(header.names), len(_first_fields(records, header)))
    places = [f"\0{place}" for place in range(width)]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data),
            pacsv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=places),
            pacsv.ParseOptions(newlines_in_values=True, delimiter=header.dialect.text),
            pacsv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(places, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    for place in places[len(header.names) :]:
        if pc.any(pc.not_equal(table[place], "")).as_py():
            return None
    table = table.select(places[: len(header.names)])
    return table.rename_columns([name or f"\0{n}" for n, name in enumerate(header.names)])


def _first_fields(records: Records, header: _Header) -> list[str]:
    texts = (text.decode(errors="replace") for text in records[:FIRST_RECORDS].texts())
    return next((csv_fields(text, header.dialect) for text in texts if text.strip()), [])


def _parse_csv_by_record(table: pa.Table, header: _Header) -> tuple[pa.Table, pa.Array]:
    """The same, one record at a time: exact on which record is broken."""
    rows: list[list[str | None]] = []
    broken: list[str | None] = []
    lines, texts, rules = (table[name].to_pylist() for name in ("line", "raw_text", "broken"))
    for line, text, rule in zip(lines, texts, rules, strict=True):
        row = header.parse(text)
        if not row:
            _require_no_swallowed_record(line, text, header)
        broken.append(rule if row or rule else "unreadable_line")
        rows.append([*row] if row else [None] * len(header.names))
    names = [name or f"\0{n}" for n, name in enumerate(header.names)]
    columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    if not columns:
        columns = [pa.array([], pa.string()) for _ in names]
    return pa.table(columns, names=names), pa.array(broken, pa.string())


def _require_no_swallowed_record(line: int, text: str, header: _Header) -> None:
    """Refuse a record that cannot be read because a quote made one of several."""
    whole_lines = text.rstrip("\r\n").replace("\r\n", "\n")
    if "\r" in whole_lines:  # that is what breaks it
        return
    first, *others = whole_lines.split("\n")
    if any(other.count(header.dialect.text) + 1 >= len(header.names) for other in others):
        raise _swallowed(line, first, len(others), header)


def _without_swallowed_records(table: pa.Table, fields: pa.Table, header: _Header) -> pa.Table:
    """The same for a record that can be read: two stray quotes may pair by chance.

    Each record that a field takes in brings as many delimiters as a record has. What members wrote
    costs its own row and not the file.
    """
    for column in header.stream.columns:
        if column.data_type not in ("varchar", "varchar[]") or column.name not in header.names:
            continue
        values = fields[column.name]
        rows = np.flatnonzero(
            pc.fill_null(pc.match_substring(values, "\n"), False).to_numpy(zero_copy_only=False)
        )
        for row in rows.tolist():
            value, n_lines = values[row].as_py(), values[row].as_py().count("\n")
            if value.count(header.dialect.text) != n_lines * (len(header.names) - 1):
                continue
            if column.pii != "free_text":
                line, text = table["line"][row].as_py(), table["raw_text"][row].as_py()
                raise _swallowed(line, text.partition("\n")[0], n_lines, header)
            is_it = np.zeros(len(table), np.bool_)
            is_it[row] = True
            broken = pc.if_else(pa.array(is_it), "unreadable_line", table["broken"])
            table = table.set_column(2, "broken", broken)
    return table


def _swallowed(line: int, text: str, n_lines: int, header: _Header) -> TornError:
    return TornError(
        f"a quote on line {line} takes the {n_lines:,} lines after it into its field, where"
        f" {len(header.names)} fields are wanted: close the quote, or double it",
        text,
    )


def csv_fields(record: str, dialect: Dialect = PLAIN_CSV) -> list[str]:
    """The fields of one record; none when it cannot be one, as with a return outside quotes."""
    csv.field_size_limit(LONGEST_RECORD_BYTES + BLOCK_BYTES)  # of the process, so on each call
    try:
        rows = list(
            csv.reader(
                [record],
                delimiter=dialect.text,
                skipinitialspace=dialect.is_padded,
                strict=True,
            )
        )
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


# ---------- names of columns


def _named(names: list[str], stream: Stream) -> tuple[list[str], tuple[str, ...]]:
    """The names of a header as the contract spells them, and a note where they were not so.

    `MEMBER_ID`, `memberId` and `Member ID` are `member_id`.
    """
    known = {folded(name): name for name in stream.names}
    found = [known.get(folded(name), name) for name in names]
    for name, times in Counter(found).items():
        if times > 1 and name:
            as_written = {was for was, now in zip(names, found, strict=True) if now == name}
            spelt = (
                f" (as {', '.join(map(told, sorted(as_written)))})" if len(as_written) > 1 else ""
            )
            raise TornError(f"its header has {told(name)!r} twice{spelt}: leave one of them out")
    other = [f"{told(was)} as {now}" for was, now in zip(names, found, strict=True) if was != now]
    return found, (f"reads {', '.join(other)}",) if other else ()


# ---------- Parquet


def _open_parquet(file: LandingFile, stream: Stream) -> Opened:
    try:
        # The old INT96 overflows in nanoseconds.
        parquet = pq.ParquetFile(file.path, coerce_int96_timestamp_unit="us")
        as_written = list(parquet.schema_arrow.names)
    except TORN_PARQUET as error:
        raise TornError(f"it is cut or not Parquet: {_first_line(error)}") from None
    names, notes = _named(as_written, stream)
    known = [was for was, now in zip(as_written, names, strict=True) if now in stream.names]

    def tables() -> Iterator[pa.Table]:
        line = 1
        try:
            for batch in parquet.iter_batches(columns=known):
                renamed = [names[as_written.index(name)] for name in batch.schema.names]
                batch = pa.RecordBatch.from_arrays(batch.columns, renamed)
                yield _with_file(_parquet_table(batch, line, stream), file)
                line += len(batch)
        except TORN_PARQUET as error:
            raise TornError(f"its Parquet cannot be read: {_first_line(error)}") from None

    return Opened(tables(), names, notes)


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return told(text)


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
    try:
        # Unsafe to text means: bytes of any type as they are, UTF-8 or not.
        return _plain(values).cast(target, safe=False)
    except pa.ArrowNotImplementedError:
        wanted = "a list" if pa.types.is_list(target) else "one value"
        raise TornError(f"its column {name} is {kind}, where {wanted} is asked for") from None


def _plain(values: pa.Array) -> pa.Array:
    """Values that a cast to text gets right: an id is the same from whichever type it comes."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        is_uuid = kind.extension_name == "arrow.uuid"
        return _uuids(values.storage) if is_uuid else _plain(values.storage)
    if pa.types.is_dictionary(kind):
        return _plain(values.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return _instants(values)
    if pa.types.is_fixed_size_binary(kind):  # shorter texts are filled up with NUL
        return pa.array([v and v.rstrip(b"\0") for v in values.to_pylist()], pa.binary())
    if pa.types.is_decimal(kind):
        texts = values.cast(pa.string())
        texts = pc.replace_substring_regex(texts, r"^-?0(\.0+|E[+-]?[0-9]+)$", "0")
        return pc.replace_substring_regex(texts, r"\.0+$", "")
    if pa.types.is_floating(kind):
        values = values.cast(pa.float64())
        is_whole = pc.and_(
            pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**LARGEST_EXACT_BITS)
        )
        whole = pc.if_else(is_whole, values, None).cast(pa.int64())
        return pc.coalesce(whole.cast(pa.string()), values.cast(pa.string()))
    return values


def _uuids(values: pa.Array) -> pa.Array:
    texts = [v and str(uuid.UUID(bytes=v)) for v in values.to_pylist()]
    return pa.array(texts, pa.string())


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
