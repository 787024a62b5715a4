"""From one landing file to tables of text, block by block, with exact line numbers.

Nothing is guessed and nothing is dropped here: every record comes out as text, numbered by the
line on which it begins (by its row in Parquet), and `check` decides what it is worth. Only empty
lines are no records. JSON lines stay whole, to be taken apart in SQL; CSV and Parquet come out with
one text column per contract column (a list column for lists).
"""

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matinee.errors import printable_name
from matinee.landing.contract import Stream
from matinee.landing.files import LandingFile, Source, TornError
from matinee.landing.formats.dialect import Dialect, folded

BLOCK_BYTES = 8 << 20
LONGEST_RECORD_BYTES = 32 << 20
PLAIN_CSV = Dialect()
SHOWN_BYTES = 64 << 10
"""As much of a line that is longer than that is kept, for people to see what it was."""
NEWLINE, RETURN, QUOTE = b'\n\r"'


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


# ---------- records of a text file


def records_of(
    source: Source | Path | IO[bytes], *, is_quoted: bool, delimiter: bytes = b","
) -> Iterator[Records]:
    """Blocks of whole records of an opened landing file, or of a file elsewhere, packed or open.

    `delimiter` is after what a quote may open a field.

    One endless line must not cost the file its other rows: of a JSON line longer than the limit
    only the head comes out, which is no JSON. A CSV record that long is more likely a quote that
    swallowed its neighbours: the file is torn.
    """
    quoted_after = delimiter if is_quoted else None
    rest, line, size, head = b"", 1, 0, b""
    try:
        with _unpacked(source) as file:
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


@contextmanager
def _unpacked(source: Source | Path | IO[bytes]) -> Iterator[IO[bytes]]:
    if not isinstance(source, Path):
        yield source.text() if isinstance(source, Source) else source
        return
    with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as file:
        yield cast("IO[bytes]", file)


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
    quotes = paired_quotes(data, delimiter)
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


def paired_quotes(data: bytes, delimiter: bytes) -> NDArray[np.int64] | None:
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


def without_empty_lines(table: pa.Table) -> pa.Table:
    is_empty = pc.is_in(table["raw_text"], pa.array(["\n", "\r\n"]))
    return table.filter(pc.invert(is_empty)) if pc.any(is_empty).as_py() else table


def with_file(table: pa.Table, file: LandingFile) -> pa.Table:
    """Say of every row where it came from."""
    names = pa.DictionaryArray.from_arrays(
        pa.repeat(pa.scalar(0, pa.int32()), len(table)), pa.array([file.name])
    )
    days = pa.repeat(pa.scalar(file.landed_on, pa.date32()), len(table))
    return table.add_column(0, "file", names).add_column(1, "landed_on", days)


def csv_fields(record: str, dialect: Dialect = PLAIN_CSV, *, is_strict: bool = True) -> list[str]:
    """The fields of one record; none when it cannot be one, as with a return outside quotes.

    What follows a closing quote is an error when strict, else a part of the field.
    """
    csv.field_size_limit(LONGEST_RECORD_BYTES + BLOCK_BYTES)  # of the process, so on each call
    try:
        rows = list(
            csv.reader(
                [record],
                delimiter=dialect.text,
                skipinitialspace=dialect.is_padded,
                strict=is_strict,
            )
        )
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


# ---------- names of columns


def named(names: list[str], stream: Stream) -> tuple[list[str], tuple[str, ...]]:
    """The names of a header as the contract spells them, and a note where they were not so.

    `MEMBER_ID`, `memberId` and `Member ID` are `member_id`.
    """
    known = {folded(name): name for name in stream.names}
    found = [known.get(folded(name), name) for name in names]
    for name, times in Counter(found).items():
        if times > 1 and name:
            as_written = {was for was, now in zip(names, found, strict=True) if now == name}
            others = f" (as {', '.join(map(printable_name, sorted(as_written)))})"
            spelt = others if len(as_written) > 1 else ""
            raise TornError(
                f"its header has {printable_name(name)!r} twice{spelt}: leave one of them out"
            )
    other = [
        f"{printable_name(was)} as {now}"
        for was, now in zip(names, found, strict=True)
        if was != now
    ]
    return found, (f"reads {', '.join(other)}",) if other else ()
