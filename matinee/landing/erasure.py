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
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
from matinee.landing.formats.parquet_tables import texts
from matinee.landing.read import csv_fields, records_of
from matinee.privacy import Traces
from matinee.provenance import TooDeepError, parse_json


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
                _filter_received(path, traces, drafts)
                erased.received.append(path.relative_to(home).as_posix())
        written: dict[LandingFile, Path] = {}
        for file in discover(home / "landing", contract)[0]:
            if f"landing/{file.name}" not in named:
                continue
            try:
                draft, before = write_without(file, traces, drafts)
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


def write_without(file: LandingFile, traces: Traces, drafts: Drafts) -> tuple[Path, str]:
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
            is_csv = file.format == "csv"
            dialect = detect(source.head(), (MEMBER_ID,)) if is_csv else Dialect()
            belongs = _of_csv(traces, dialect) if is_csv else _of_json(traces)
            kept = b"".join(
                b"\n" * record.count(b"\n") if belongs(record) else record
                for records in records_of(source, is_quoted=is_csv, delimiter=dialect.delimiter)
                for record in records.texts()
            )
            packed = gzip.compress(kept, mtime=0) if file.path.suffix == ".gz" else kept
            draft.write_bytes(packed)
        source.check()
        return draft, source.sha256()


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


def filter_parquet(source: Path | IO[bytes], draft: Path, traces: Traces) -> None:
    """A Parquet file again, group by group, without the rows that name one of the members."""
    with (
        pq.ParquetFile(source) as file,
        pq.ParquetWriter(draft, file.schema_arrow, compression="zstd") as writer,
    ):
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            kept = rows.filter(pa.array(~mask(rows, traces)))
            if len(kept):
                writer.write_table(kept, row_group_size=len(kept))


def mask(table: pa.Table, traces: Traces) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows of a table name one of the members, in any cell of text."""
    found = np.zeros(len(table), np.bool_)
    for name, column in zip(table.column_names, table.columns, strict=True):
        if is_column(name, MEMBER_ID):
            values = pa.array(sorted(traces.ids))
            found |= _plain(pc.is_in(texts(column), value_set=values))
        text = _as_text(column)
        if text is not None and traces.token:
            found |= _plain(pc.match_substring_regex(text, traces.token))
    return found


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.cast(kind.value_type))
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        return pc.binary_join(pc.fill_null(column, []), "\n")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        texts = [None if one is None else one.decode("latin-1") for one in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return None


def _plain(found: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    plain: np.ndarray[Any, np.dtype[np.bool_]] = (
        pc.fill_null(found, False).combine_chunks().to_numpy(zero_copy_only=False)
    )
    return plain


def _of_json(traces: Traces) -> Callable[[bytes], bool]:
    def belongs(line: bytes) -> bool:
        # Only a line that spells an id, or hides it behind an escape, is worth taking apart.
        if b"\\" not in line and not traces.may_be_in(line):
            return False
        if traces.in_text(line):
            return True
        try:
            row = parse_json(line)
        except TooDeepError:  # for Python, not for DuckDB
            return traces.may_be_in(line)
        except ValueError:
            return False
        return isinstance(row, dict) and str(row.get(MEMBER_ID)) in traces.ids

    return belongs


def _of_csv(traces: Traces, dialect: Dialect) -> Callable[[bytes], bool]:
    header: list[list[str]] = []
    before = dialect.lines_before_header

    def belongs(record: bytes) -> bool:
        nonlocal before
        if not header:
            names = csv_fields(record.decode(errors="replace"), dialect)
            if before or not record.strip():
                before = max(before - 1, 0)
                return traces.in_text(record)
            header.append([MEMBER_ID if is_column(one, MEMBER_ID) else one for one in names])
            # What names no member_id is no header, and may be somebody's row.
            return MEMBER_ID not in header[0] and traces.in_text(record)
        if traces.in_text(record):
            return True
        fields = csv_fields(record.decode(errors="replace"), dialect, is_strict=False)
        row = dict(zip(header[0], fields, strict=False))
        return row.get(MEMBER_ID) in traces.ids

    return belongs


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


def _filter_received(path: Path, traces: Traces, drafts: Drafts) -> None:
    draft = drafts.new()
    try:
        filter_parquet(path, draft, traces)
    except pa.ArrowException as error:
        raise IntegrityError(
            f"{path} cannot be read ({error}): restore it from a backup, or remove received/ and "
            f"warehouse/ and run `matinee run --full-refresh`, then forget again"
        ) from error
    durable.put(draft, path)
