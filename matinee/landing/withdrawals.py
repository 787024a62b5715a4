"""Takes received files back: their rows leave `received/`, and the files count as not received.

The ledger comes first and remembers the batches, so that what a crash leaves is found. A file that
was taken back is received again when its bytes are others, or under another name.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import durable
from matinee.errors import ConfigError
from matinee.landing import files, ledger
from matinee.landing.discover import closest
from matinee.landing.files import TOMBSTONE, LandingFile, TornError
from matinee.landing.ledger import Entry, Ledger

MARK = "received/.rows-taken-back"
"""There while tables of the warehouse may hold rows that were taken back: build all again."""

BY_COMMAND = "somebody asked for it with `matinee receive --withdraw`"
BY_TOMBSTONE = f"a file with {TOMBSTONE} after its name lies beside it"


def named(home: Path, known: Ledger, names: Collection[str], kept: Collection[str]) -> list[str]:
    """The files of the ledger that somebody names, below `landing/` or by a path to it.

    Parameters
    ----------
    kept : streams of which nothing is taken back

    Raises
    ------
    ConfigError
        When a name is none of a received file.
    """
    received = {entry.file: entry for entry in known.received}
    found = []
    for name in names:
        path = Path(name)
        inside = path.absolute().as_posix().removeprefix(f"{home / 'landing'}/")
        file = inside if inside in received else re.sub(r"^(.*/)?landing/", "", path.as_posix())
        if file not in received:
            hint = closest(file, received)
            raise ConfigError(f"{file} is no received file{hint}: name one as messages do")
        if received[file].stream in kept:
            raise ConfigError(
                f"{file} holds what members asked for, which is not taken back: land their new"
                " choice instead"
            )
        found.append(file)
    return found


def due(
    landing: Path, known: Ledger, found: Collection[LandingFile], kept: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Received files to take back, each with the reason: no row counts of them, or a tombstone."""
    here = {file.name: file for file in found}
    for entry in known.received:
        file = here.get(entry.file)
        if entry.stream not in kept and files.is_withdrawn(landing, entry.file):
            yield entry.file, BY_TOMBSTONE
        elif entry.kept or not entry.rejected:
            continue
        elif file is None:
            yield entry.file, "all of its rows were rejected, and it is no longer in landing/"
        elif _sha256_or_none(file) not in (None, entry.sha256, *entry.past_sha256):
            yield entry.file, "all of its rows were rejected, and its bytes are others now"


def _sha256_or_none(file: LandingFile) -> str | None:
    try:
        return files.sha256(file)
    except TornError:
        return None


def stays_out(file: LandingFile, before: Entry, sha256: str) -> bool:
    """Whether a landing file that was taken back is not received again."""
    if files.is_withdrawn(file.landing, file.name):
        return True
    is_same = sha256 in (before.sha256, *before.past_sha256)
    return is_same and before.reason != BY_TOMBSTONE


def take_back(home: Path, known: Ledger, reasons: Mapping[str, str]) -> tuple[Ledger, list[Entry]]:
    """The ledger without the files, and their entries as they were."""
    if not reasons:
        return known, []
    before = [known.entries[file] for file in reasons]
    if any(entry.kept for entry in before):
        durable.replace(home / MARK, b"")
    withdrawn = {
        entry.file: replace(
            entry, status="withdrawn", reason=reasons[entry.file], rows=0, kept=0, rejected=0
        )
        for entry in before
    }
    after = Ledger({**known.entries, **withdrawn})
    ledger.write(home, after)
    return after, before


def clean(home: Path, known: Ledger) -> None:
    """Remove what is left of files that were taken back, from batches that others share."""
    gone: dict[Path, list[str]] = {}
    for entry in known.entries.values():
        if entry.status != "withdrawn":
            continue
        for table in (entry.stream, f"rejected_{entry.stream}"):
            for batch in entry.batches:
                gone.setdefault(ledger.folder_of(home, table, batch), []).append(entry.file)
    for folder, names in sorted(gone.items()):
        for path in sorted(folder.glob("*.parquet")):
            without(home, path, names)


def without(home: Path, path: Path, names: Collection[str]) -> None:
    """A received file again without the rows of some landing files; gone when no row is left."""
    gone = pa.array(sorted(names), pa.string())
    column = pq.read_table(path, columns=["file"])["file"].cast(pa.string())
    if not pc.any(pc.is_in(column, gone)).as_py():
        return
    with durable.drafts(home) as drafts:
        draft, left = drafts.new(), 0
        with (
            pq.ParquetFile(path) as old,
            pq.ParquetWriter(draft, old.schema_arrow, compression="zstd") as new,
        ):
            for group in range(old.num_row_groups):
                rows = old.read_row_group(group)
                kept = rows.filter(pc.invert(pc.is_in(rows["file"].cast(pa.string()), gone)))
                if len(kept):
                    new.write_table(kept, row_group_size=len(kept))
                left += len(kept)
        if left:
            durable.put(draft, path)
            return
    durable.remove(path)
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
