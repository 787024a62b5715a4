"""The lines and records of a public set's files, and the times in them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from matinee.errors import DataError
from matinee.landing.files import TornError
from matinee.landing.read import Records, records_of

PROBLEMS_KEPT = 1000
FIRST_SECOND, LAST_SECOND = 631_152_000, 4_102_444_800  # 1990 to 2100, in Unix time
UNITS_PER_SECOND = (1, 10**3, 10**6, 10**9)
"""Seconds, milliseconds, microseconds, nanoseconds: between 1990 and 2100 none is another."""


@dataclass
class Problems:
    """What could not be read, by file and line; the first thousand in words, all in number."""

    texts: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, path: Path, line: int, reason: str) -> None:
        self.count += 1
        if len(self.texts) < PROBLEMS_KEPT:
            self.texts.append(f"{path.name} line {line}: {reason}")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines of a small text file: UTF-8, and latin-1 where a line is not."""
    for records in whole(path, is_quoted=False):
        yield from _decoded(records)


def csv_records(path: Path, width: int) -> Iterator[tuple[int, str]]:
    """The same for CSV of `width` fields, where a quoted field may hold newlines.

    Raises
    ------
    DataError
        When a stray quote makes one record of lines that are records by themselves.
    """
    swallowed: list[tuple[int, str]] = []
    lost = n_lines = 0
    for records in whole(path, is_quoted=True):
        for line, text in _decoded(records):
            inner = text.split("\n")
            n_lines += len(inner)
            if any(_is_record(one, width) for one in inner[1:]):
                swallowed.append((line, inner[0]))
                lost += len(inner)
            yield line, text
    if swallowed:
        line, text = swallowed[0]
        raise DataError(
            f"{path}: {lost:,} of {n_lines:,} lines would be lost, for a quote on line {line} takes"
            f" the lines after it into its field: close it, or double it: {text[:80]!r}"
            + (f" ({len(swallowed) - 1:,} more such quotes)" if len(swallowed) > 1 else "")
        )


def csv_fields(path: Path, width: int, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """The fields of each record of an optional CSV file after its header; others are problems."""
    if not path.exists():
        return
    for line, text in csv_records(path, width):
        try:
            (fields,) = csv.reader([text]) if text else ([],)
        except csv.Error as error:  # a field beyond the limit of the reader
            problems.add(path, line, f"{error}: {text[:80]!r}")
            continue
        if line > 1 and len(fields) == width:
            yield line, fields
        elif line > 1 and fields:
            problems.add(path, line, f"{len(fields)} fields where {width} are asked: {text[:80]!r}")


def _is_record(line: str, width: int) -> bool:
    """Whether a line begins with a number and has as many fields as a record, at least."""
    number, *others = line.split(",")
    return number.strip('"').isdecimal() and len(others) + 1 >= width


def unix_second(text: str) -> int | None:
    """A time of a set: Unix seconds, milliseconds or finer, or ISO 8601 in UTC; None else."""
    if text.isdecimal():
        seconds = (int(text) // unit for unit in UNITS_PER_SECOND)
        return next((one for one in seconds if FIRST_SECOND <= one < LAST_SECOND), None)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def whole(path: Path, *, is_quoted: bool) -> Iterator[Records]:
    try:
        yield from records_of(path, is_quoted=is_quoted)
    except TornError as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def _decoded(records: Records) -> Iterator[tuple[int, str]]:
    for line, raw in zip(records.lines.tolist(), records.texts(), strict=True):
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        yield line, text.rstrip("\r\n")
