"""Rejected rows looked at again, after the contract was mended; nothing is received twice.

The rows are read from their landing files once more, so a row that was shown in part is checked
whole. Those that keep the contract now become a new batch; all others of the stream move to the
same batch of its rejected table. The ledger commits, as it does when files are received.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from matinee import durable
from matinee.duckdb_paths import UNPARTITIONED, exact
from matinee.errors import IntegrityError, StorageError
from matinee.landing import files, ledger
from matinee.landing.contract import REJECTED, Contract
from matinee.landing.discover import discover
from matinee.landing.files import LandingFile, TornError
from matinee.landing.intake import Intake, take_in
from matinee.landing.ledger import Entry, Ledger
from matinee.landing.received import connection, sweep

if TYPE_CHECKING:
    import duckdb


@dataclass
class Replayed:
    """What became of the rejected rows, by stream."""

    kept: dict[str, int] = field(default_factory=dict)
    rules: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """Rows that were looked at and stay rejected, by rule."""
    left: dict[str, str] = field(default_factory=dict)
    """Files whose rows stay rejected without another look, each with the reason."""

    def summary(self) -> str:
        """A line a stream, and one for each file that could not be read again."""
        lines = []
        for stream, kept in sorted(self.kept.items()):
            rules = self.rules[stream]
            stay = f"{sum(rules.values()):,} stay rejected"
            if rules:
                stay += f" ({', '.join(f'{rule} {n:,}' for rule, n in rules.items())})"
            lines.append(f"{stream}: {kept:,} rejected rows are kept now, {stay}")
        lines += [f"left {file}: {reason}" for file, reason in sorted(self.left.items())]
        return "\n".join(lines) or "nothing that receiving rejected is there to be replayed"


def replay(
    *,
    home: Path,
    contract: Contract,
    streams: Iterable[str],
    threads: int,
    memory_limit: str,
) -> Replayed:
    """Check the rejected rows of received files against the contract as it is now.

    Rows rejected later, for an unknown title or member, need none of this: each night asks again.

    Raises
    ------
    IntegrityError
        When a landing file no longer has the rows that were rejected.
    StorageError
        When the disk cannot be read or written. Nothing is changed then.
    """
    home = home.resolve()
    known = ledger.read(home)
    replayed = Replayed()
    after = dict(known.entries)
    try:
        with connection(home, threads, memory_limit) as database:
            for name in streams:
                after |= _stream(home, contract, name, known, database, replayed)
        if after != known.entries:
            ledger.write(home, Ledger(after))
            sweep(home, Ledger(after))
    except OSError as error:
        raise StorageError(f"{error}: make room or mend the access, then run again") from error
    return replayed


def _stream(
    home: Path,
    contract: Contract,
    name: str,
    known: Ledger,
    database: "duckdb.DuckDBPyConnection",
    replayed: Replayed,
) -> dict[str, Entry]:
    """The entries of a stream's files as the replay leaves them; empty when it changes nothing."""
    entries = [entry for entry in known.received if entry.stream == name and entry.rejected]
    readable = _readable(home, contract, entries, replayed)
    if not readable:
        return {}
    batch = known.newest_batch + 1
    kept, rejected = (ledger.folder_of(home, table, batch) for table in (name, f"rejected_{name}"))
    columns = ", ".join(column for column, _ in REJECTED)
    paths = [
        exact(path)
        for number in sorted(known.batches(f"rejected_{name}"))
        for path in sorted(ledger.folder_of(home, f"rejected_{name}", number).glob("*.parquet"))
    ]
    database.execute(
        "create or replace temp table rejected_before as"
        f" select {columns} from read_parquet($paths, {UNPARTITIONED})",
        {"paths": paths},
    )
    stream = contract.streams[name]
    intake = take_in(database, stream, readable, kept, rejected, among="rejected_before")
    replayed.left |= intake.torn
    settled = {entry.file: _settle(entry, intake, batch) for entry in entries}
    replayed.kept[name] = sum(settled[e.file].kept - e.kept for e in entries)
    replayed.rules[name] = dict(intake.rules.most_common())
    if not replayed.kept[name]:
        for folder in (kept, rejected):
            shutil.rmtree(folder, ignore_errors=True)
        return {}
    _carry_over(database, sorted(set(settled) - set(intake.rows)), rejected)
    return settled


def _readable(
    home: Path, contract: Contract, entries: list[Entry], replayed: Replayed
) -> list[LandingFile]:
    there = {file.name: file for file in discover(home / "landing", contract)[0]}
    readable = []
    for entry in entries:
        file = there.get(entry.file)
        if file is None:
            replayed.left[entry.file] = "it is no longer in landing/"
        elif _sha256_or_none(file) != entry.sha256:
            replayed.left[entry.file] = "its bytes have changed since it was received: put it back"
        elif file.format == "parquet" and entry.past_sha256:
            replayed.left[entry.file] = "members were erased from it, so its rows have moved up"
        else:
            readable.append(replace(file, sha256=entry.sha256))
    return readable


def _sha256_or_none(file: LandingFile) -> str | None:
    try:
        return files.sha256(file)
    except TornError:
        return None


def _settle(entry: Entry, intake: Intake, batch: int) -> Entry:
    if entry.file not in intake.rows:
        return replace(entry, replays=(*entry.replays, batch))
    if intake.rows[entry.file] != entry.rejected:
        raise IntegrityError(
            f"{entry.file} had {entry.rejected:,} rejected rows, and {intake.rows[entry.file]:,} of"
            " them are found again: nothing was replayed; remove received/ to receive every file"
            " again"
        )
    still = intake.rejected[entry.file]
    return replace(
        entry,
        kept=entry.kept + entry.rejected - still,
        rejected=still,
        replays=(*entry.replays, batch),
    )


def _carry_over(database: "duckdb.DuckDBPyConnection", names: list[str], rejected: Path) -> None:
    """Rejected rows that were not looked at move as they are."""
    if not names:
        return
    rejected.mkdir(parents=True, exist_ok=True)
    path = rejected / "carried-over.parquet"
    database.execute(
        "copy (select * from rejected_before where list_contains($files, file) order by file, line)"
        " to $path (format parquet, compression zstd)",
        {"files": names, "path": str(path)},
    )
    durable.sync(path)
    durable.sync(rejected)
