"""Takes members out of the landing zone, out of what was received, and tells the ledger.

Where a line was, an empty one stays, so every other row keeps its line number; in Parquet the rows
close up. The ledger keeps the hashes that a file had, so that neither the rewritten file nor the
old one put back is taken for a change that somebody made.
"""

import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from matinee import durable
from matinee.columns import MEMBER_ID
from matinee.durable import Drafts
from matinee.errors import IntegrityError
from matinee.landing import files, ledger
from matinee.landing.contract import Contract
from matinee.landing.discover import discover
from matinee.landing.files import LandingFile, Source, TornError
from matinee.landing.formats.dialect import Dialect, detect, is_column
from matinee.landing.formats.members import (
    Mask,
    Owner,
    owned,
    rejected,
    without_unused_categories,
)
from matinee.landing.read import Records, csv_fields, records_of
from matinee.privacy import Traces


@dataclass
class Erased:
    """What became of the files that named the members."""

    rewritten: dict[str, tuple[str, str]] = field(default_factory=dict)
    """landing file -> (sha256 before, sha256 after)."""
    removed: list[str] = field(default_factory=list)
    """Torn files, whether they named a member or nobody can say what was in them."""
    received: list[str] = field(default_factory=list)
    """Received Parquet files without the members' rows."""


def erase(home: Path, contract: Contract, traces: Traces, named: Collection[str]) -> Erased:
    """Take `traces` out of the files below `landing/` and `received/` that are `named`.

    Received rows go first, then the ledger learns the new hashes, then the landing files are
    replaced: a crash in between is mended by doing it again.
    """
    erased = Erased()
    with durable.drafts(home) as drafts:
        for path in sorted((home / "received").glob("*/batch=*/*.parquet")):
            if path.relative_to(home).as_posix() in named:
                _filter_received(home, path, traces, drafts)
                erased.received.append(path.relative_to(home).as_posix())
        written: dict[LandingFile, Path] = {}
        for file in discover(home / "landing", contract)[0]:
            if f"landing/{file.name}" not in named:
                continue
            try:
                is_theirs = MEMBER_ID in contract.streams[file.stream].names
                try:
                    draft, before = write_without(file, traces, drafts, has_members=is_theirs)
                except TornError:  # a quote that never closes: line by line, then
                    draft, before = write_without(
                        file, traces, drafts, has_members=is_theirs, by_line=True
                    )
            except TornError:
                files.remove(file)
                erased.removed.append(file.name)
                continue
            written[file] = draft
            erased.rewritten[file.name] = (before, digest(draft))
        _tell_ledger(home, {file.name: draft for file, draft in written.items()}, erased)
        for file, draft in written.items():
            try:
                files.replace(file, draft, drafts)
            except TornError as error:
                raise IntegrityError(
                    f"landing/{file.name} was replaced while members were erased from it "
                    f"({error}): remove it, then forget again"
                ) from None
    return erased


def write_without(
    file: LandingFile,
    traces: Traces,
    drafts: Drafts,
    *,
    has_members: bool = True,
    by_line: bool = False,
) -> tuple[Path, str]:
    """A draft of the file without the members, and the sha256 of what it was written from.

    The same bytes for the same file, whenever it is done.

    Raises
    ------
    TornError
        When it cannot be read.
    """
    draft = drafts.new()
    with files.opened(file) as source:
        if file.format == "parquet":
            _filter_landed(source, draft, traces)
        else:
            kept = _kept(source, traces, has_members=has_members, by_line=by_line)
            packed = gzip.compress(kept, mtime=0) if file.path.suffix == ".gz" else kept
            draft.write_bytes(packed)
        source.check()
        return draft, source.sha256()


def _kept(source: Source, traces: Traces, *, has_members: bool, by_line: bool) -> bytes:
    """The text of a file, with empty lines for the records of the members."""
    dialect = detect(source.head(), (MEMBER_ID,)) if source.file.format == "csv" else None
    owner = Owner(traces, dialect, has_members=has_members)
    delimiter = dialect.delimiter if dialect else b","
    is_quoted = dialect is not None and not by_line
    parts: list[bytes] = []
    for records in records_of(source, is_quoted=is_quoted, delimiter=delimiter):
        start = 0
        for row in owner.rows(records):
            record, end = records.offsets[row : row + 2]
            newlines = records.data.count(b"\n", record, end)
            parts += [records.data[start:record], b"\n" * newlines]
            start = end
        parts.append(records.data[start : records.offsets[-1]])
    return b"".join(parts)


def text_without(text: bytes, traces: Traces, suffix: str, *, has_members: bool) -> bytes:
    """The text of a file that is not received, without the lines of the members."""
    dialect = detect(text[: files.HEAD_BYTES], (MEMBER_ID,)) if suffix == ".csv" else None
    owner = Owner(traces, dialect, has_members=has_members)
    lines = text.splitlines(keepends=True)
    ends = np.cumsum([0, *map(len, lines)])
    theirs = set(owner.rows(Records(text, ends, np.arange(len(lines)))))
    return b"".join(line for row, line in enumerate(lines) if row not in theirs)


def digest(path: Path) -> str:
    """The sha256 of a file of our own, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _filter_landed(source: Source, draft: Path, traces: Traces) -> None:
    seekable = source.seekable()
    try:
        filter_parquet(seekable, draft, traces)
    except pa.ArrowException as error:
        raise TornError(f"its Parquet cannot be read: {error}") from None
    except OSError as error:
        if error.errno is not None:  # the disk, and not what pyarrow says of the bytes
            raise
        raise TornError(f"its Parquet cannot be read: {error}") from None


def filter_parquet(
    source: Path | IO[bytes],
    draft: Path,
    traces: Traces,
    mask: Callable[[pa.Table, Traces], Mask] = owned,
) -> None:
    """A Parquet file again, group by group, without the rows and categories of the members."""
    with (
        pq.ParquetFile(source) as file,
        pq.ParquetWriter(draft, file.schema_arrow, compression="zstd") as writer,
    ):
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            kept = without_unused_categories(rows.filter(pa.array(~mask(rows, traces))))
            if len(kept):
                writer.write_table(kept, row_group_size=len(kept))


def header_of(home: Path) -> Callable[[str], tuple[Dialect, list[str]] | None]:
    """A function from the name of a CSV landing file to how its fields are parted and called."""
    found: dict[str, tuple[Dialect, list[str]] | None] = {}

    def read(name: str) -> tuple[Dialect, list[str]] | None:
        is_csv = name.endswith((".csv", ".csv.gz"))
        file = LandingFile(home / "landing" / name, name, name.partition("/")[0], date.min, "csv")
        try:
            with files.opened(file) as source:
                head = source.head().removeprefix(b"\xef\xbb\xbf")
        except (TornError, OSError):
            return None
        dialect = detect(head, (MEMBER_ID,))
        lines = head.splitlines()[dialect.lines_before_header :]
        names = next((line.decode(errors="replace") for line in lines if line.strip()), "")
        columns = csv_fields(names, dialect)
        is_header = is_csv and any(is_column(one, MEMBER_ID) for one in columns)
        return (dialect, columns) if is_header else None

    def cached(name: str) -> tuple[Dialect, list[str]] | None:
        if name not in found:
            found[name] = read(name)
        return found[name]

    return cached


def has_members(home: Path, stream: str) -> bool:
    """Whether the rows of a stream have member ids; True for one that is not known."""
    path = ledger.folder_of(home, stream, 0) / "empty.parquet"
    try:
        return MEMBER_ID in pq.read_schema(path).names
    except (OSError, pa.ArrowException):
        return True


def mask_of(home: Path, path: Path) -> Callable[[pa.Table, Traces], Mask]:
    """How the rows of the members are found in a Parquet file: rejected rows have no columns."""
    table = path.parent.parent.name
    if path.parents[2] != home / "received" or not table.startswith("rejected_"):
        return owned
    return partial(
        rejected,
        header=header_of(home),
        has_members=has_members(home, table.removeprefix("rejected_")),
    )


def _tell_ledger(home: Path, drafts: dict[str, Path], erased: Erased) -> None:
    known = ledger.read(home)
    entries = {name: entry for name, entry in known.entries.items() if name not in erased.removed}
    kept, rejected = _rows(home, rejected=False), _rows(home, rejected=True)
    for name, entry in entries.items():
        if entry.status not in ("received", "withdrawn"):
            continue
        entries[name] = replace(
            entry,
            rows=kept[name] + rejected[name],
            kept=kept[name],
            rejected=rejected[name],
        )
        if draft := drafts.get(name):
            after = digest(draft)
            past = [one for one in (*entry.past_sha256, entry.sha256) if one != after]
            entries[name] = replace(
                entries[name],
                sha256=after,
                bytes=draft.stat().st_size,
                past_sha256=tuple(dict.fromkeys(past)),
            )
    if entries != known.entries:
        ledger.write(home, ledger.Ledger(entries))


def _rows(home: Path, *, rejected: bool) -> Counter[str]:
    """Rows by landing file, counted in what was received."""
    counted: Counter[str] = Counter()
    for path in _parquet_of(home, rejected=rejected):
        for pair in pq.read_table(path, columns=["file"])["file"].value_counts().to_pylist():
            counted[pair["values"]] += pair["counts"]
    return counted


def _parquet_of(home: Path, *, rejected: bool) -> Iterator[Path]:
    for path in sorted((home / "received").glob("*/batch=*/*.parquet")):
        if path.parent.parent.name.startswith("rejected_") == rejected:
            yield path


def _filter_received(home: Path, path: Path, traces: Traces, drafts: Drafts) -> None:
    draft = drafts.new()
    try:
        filter_parquet(path, draft, traces, mask_of(home, path))
    except pa.ArrowException as error:
        raise IntegrityError(
            f"{path} cannot be read ({error}): restore it from a backup, or remove received/ and "
            f"warehouse/ and run `matinee run --full-refresh`, then forget again"
        ) from error
    durable.put(draft, path)
