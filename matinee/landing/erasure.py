"""Takes members out of the landing zone, out of what was received, and tells the ledger.

Where a line was, an empty one stays, so every other row keeps its line number; in Parquet the rows
close up. The ledger keeps the hashes that a file had, so that neither the rewritten file nor the
old one put back is taken for a change that somebody made.
"""

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee.columns import MEMBER_ID
from matinee.errors import IntegrityError
from matinee.landing import ledger
from matinee.landing.contract import Contract
from matinee.landing.dialect import TornError, folded
from matinee.landing.discover import SIDECAR, discover
from matinee.landing.ledger import sync_folder
from matinee.landing.parquet_tables import id_texts
from matinee.landing.read import LandingFile, csv_fields, records_of
from matinee.landing.write import digest
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
    for path in sorted((home / "received").glob("*/batch=*/*.parquet")):
        if path.relative_to(home).as_posix() in named:
            _replace(path, lambda draft, path=path: filter_parquet(path, draft, traces))  # type: ignore[misc]
            erased.received.append(path.relative_to(home).as_posix())
    for left in (home / "landing").glob("*/*/.*.erasing"):
        left.unlink()
    drafts: dict[LandingFile, Path] = {}
    for file in discover(home / "landing", contract)[0]:
        if f"landing/{file.name}" not in named:
            continue
        draft = file.path.with_name(f".{file.path.name}.erasing")
        try:
            write_without(file, draft, traces)
        except (TornError, pa.ArrowException):
            draft.unlink(missing_ok=True)
            file.path.unlink()
            file.path.with_name(file.path.name + SIDECAR).unlink(missing_ok=True)
            erased.removed.append(file.name)
            continue
        drafts[file] = draft
        erased.rewritten[file.name] = (digest(file.path), digest(draft))
    _tell_ledger(home, {file.name: draft for file, draft in drafts.items()}, erased)
    for file, draft in drafts.items():
        put(draft, file.path)
    return erased


def write_without(file: LandingFile, draft: Path, traces: Traces) -> None:
    """The file again without the members; the same bytes for the same file, whenever it is done."""
    if file.format == "parquet":
        filter_parquet(file.path, draft, traces)
        return
    is_csv = file.format == "csv"
    belongs = _of_csv(traces) if is_csv else _of_json(traces)
    kept = b"".join(
        b"\n" * record.count(b"\n") if belongs(record) else record
        for records in records_of(file.path, is_quoted=is_csv)
        for record in records.texts()
    )
    draft.write_bytes(gzip.compress(kept, mtime=0) if file.path.suffix == ".gz" else kept)
    _sync(draft)


def put(draft: Path, path: Path) -> None:
    """Let the draft take the file's place, and its sidecar say so."""
    sidecar = path.with_name(path.name + SIDECAR)
    if sidecar.exists():
        sidecar.write_text(f"{digest(draft)}  {path.name}\n", encoding="utf-8")
    draft.replace(path)
    sync_folder(path.parent)


def filter_parquet(path: Path, draft: Path, traces: Traces) -> None:
    """A Parquet file again, group by group, without the rows that name one of the members."""
    with (
        pq.ParquetFile(path) as file,
        pq.ParquetWriter(draft, file.schema_arrow, compression="zstd") as writer,
    ):
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            kept = rows.filter(pa.array(~mask(rows, traces)))
            if len(kept):
                writer.write_table(kept, row_group_size=len(kept))
    _sync(draft)


def mask(table: pa.Table, traces: Traces) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows of a table name one of the members, in any cell of text."""
    found = np.zeros(len(table), np.bool_)
    for name, column in zip(table.column_names, table.columns, strict=True):
        if folded(name) == folded(MEMBER_ID):
            values = pa.array(sorted(traces.ids))
            found |= _plain(pc.is_in(id_texts(column), value_set=values))
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
            row = json.loads(line)
        except ValueError:
            return False
        except RecursionError:  # too deep for Python, not for DuckDB
            return traces.may_be_in(line)
        return isinstance(row, dict) and str(row.get(MEMBER_ID)) in traces.ids

    return belongs


def _of_csv(traces: Traces) -> Callable[[bytes], bool]:
    header: list[list[str]] = []

    def belongs(record: bytes) -> bool:
        if not header:
            names = csv_fields(record.decode(errors="replace"))
            header.append([name.strip() for name in names])
            # What names no member_id is no header, and may be somebody's row.
            return MEMBER_ID not in header[0] and traces.in_text(record)
        if traces.in_text(record):
            return True
        fields = csv_fields(record.decode(errors="replace"))
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


def _replace(path: Path, fill: Callable[[Path], None]) -> None:
    draft = path.with_suffix(".erasing")
    try:
        fill(draft)
    except pa.ArrowException as error:
        draft.unlink(missing_ok=True)
        raise IntegrityError(
            f"{path} cannot be read ({error}): restore it from a backup, or remove received/ and "
            f"warehouse/ and run `matinee run --full-refresh`, then forget again"
        ) from error
    draft.replace(path)
    sync_folder(path.parent)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
