"""From landing files to typed Parquet: each row received is kept, or rejected with its rule.

A batch is what one call finds new. The ledger is its commit: until it is replaced, last, nothing
was received, and what a crash left behind is swept by the next call.
"""

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from matinee import durable
from matinee.errors import DataError, StorageError, printable_name
from matinee.landing import (
    files,
    ledger,
    member_index,
    new_files,
    requests,
    tombstones,
    withdrawals,
)
from matinee.landing.contract import Contract
from matinee.landing.days import misnamed
from matinee.landing.discover import discover
from matinee.landing.drift import lost_columns, several
from matinee.landing.files import LandingFile
from matinee.landing.intake import Intake, take_in
from matinee.landing.ledger import Entry, Ledger
from matinee.landing.receipt import Receipt, Totals, count
from matinee.landing.received import connection, sweep, write_empty
from matinee.landing.shares import implausible
from matinee.progress import Progress

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNKNOWN_SHOWN = 20
"""Columns named of a stream: whoever spells ids as names has as many as rows."""


def landed_days(home: Path) -> tuple[date, date]:
    """The oldest and the newest `dt` of a received file: the days that history covers.

    What members ask for is no history: a choice made at noon must not end the day for the night.
    """
    received = ledger.read(home).received
    days = [entry.landed_on for entry in received if entry.stream not in requests.STREAMS]
    if not days:
        raise DataError(f"nothing was received into {home} yet: land raw logs and receive them")
    return min(days), max(days)


def receive(
    *,
    home: Path,
    contract: Contract,
    threads: int,
    memory_limit: str,
    progress: Progress | None = None,
    accept_erasures: bool = False,
    today: date | None = None,
    last_day: date | None = None,
    withdraw: Collection[str] = (),
    most_unknown: int = requests.MOST_UNKNOWN,
    is_known: Callable[[str], bool] = lambda member_id: False,
) -> Receipt:
    """Take in every landing file that is new, after taking back those of `withdraw`.

    Requests of more members to be erased than can be meant are set aside, unless
    `accept_erasures` says that they are; and files of days that can hardly be true
    (`days.misnamed`), given the day on which the run starts and the last day of the night, if any.
    A request to erase an id that no member has is rejected; with more than `most_unknown` such ids
    all requests are set aside. `is_known` tells of members outside `landing/` and `received/`.

    Raises
    ------
    ConfigError
        When `withdraw` names no received file.
    IntegrityError
        When the ledger cannot be read, or rows that it speaks of are gone.
    StorageError
        When the disk cannot be read or written. Nothing of the batch counts then.
    """
    home = home.resolve()
    known = ledger.read(home)
    by_name = withdrawals.named(home, known, withdraw, requests.STREAMS)
    tell = progress or (lambda done, total, what: None)
    with _storage_errors():
        found, warnings = discover(home / "landing", contract)
        reasons = dict(withdrawals.due(home / "landing", known, found, requests.STREAMS))
        reasons |= dict.fromkeys(by_name, withdrawals.BY_COMMAND)
        known, withdrawn = _prepare(home, contract, known, reasons)
        receipt = _Receipt(home, contract, known, known.newest_batch + 1, warnings)
        found = receipt.receivable(found)
        tell(0, len(found), f"hashing {len(found)} landing files")
        new = receipt.sort_out(found, today=today, last_day=last_day)
        with connection(home, threads, memory_limit) as database:
            for done, (name, entries) in enumerate(new.items(), start=1):
                total = receipt.take_in(database, name, entries)
                tell(done, len(new), f"{name}: {total.kept} rows kept, {total.rejected} rejected")
            unknown = receipt.unknown_members(database, found, is_known)
            receipt.check_requests(database, unknown, most_unknown, accept_erasures=accept_erasures)
            names = [entry.file for entry in receipt.received]
            member_index.record(home, contract, database, receipt.batch, names, known)
        after = known.with_entries([*receipt.received, *receipt.set_aside])
        if after != known:
            ledger.write(home, after)
    return replace(receipt.done(len(found)), withdrawn=tuple(withdrawn))


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{error}: make room or mend the access, then run again") from error


def _prepare(
    home: Path, contract: Contract, known: Ledger, reasons: Mapping[str, str]
) -> tuple[Ledger, list[Entry]]:
    """Take files back and remove what is no batch; the ledger then, and what was taken back."""
    durable.sweep_drafts(home)
    known, withdrawn = withdrawals.take_back(home, known, reasons)
    sweep(home, known)
    withdrawals.clean(home, known)
    write_empty(home, contract)
    return known, withdrawn


@dataclass
class _Receipt:
    """A receipt in the making."""

    home: Path
    contract: Contract
    known: Ledger
    batch: int
    warnings: list[str]
    notes: list[str] = field(default_factory=list)
    received: list[Entry] = field(default_factory=list)
    set_aside: list[Entry] = field(default_factory=list)
    rules: dict[str, Mapping[str, int]] = field(default_factory=dict)
    examples: dict[str, Mapping[str, str]] = field(default_factory=dict)
    torn_lines: dict[str, str] = field(default_factory=dict)

    def receivable(self, found: list[LandingFile]) -> list[LandingFile]:
        """The files that are not withdrawn or dropped past their retention."""
        received_before = {entry.file for entry in self.known.received}
        if kept_out := [
            file
            for file in found
            if file.name not in received_before
            and file.stream not in requests.STREAMS
            and files.is_withdrawn(file.landing, file.name)
        ]:
            kept = several([file.name for file in kept_out])
            self.notes.append(f"not received, for {withdrawals.BY_TOMBSTONE}: {kept}")
        here = {file.name for file in found}
        if missing := [one.file for one in self.known.received if one.file not in here]:
            self.warnings.append(
                "received before and no longer in landing/, so that no release can be rebuilt from"
                f" it: {several(missing)}"
            )
        found = [file for file in found if file not in kept_out]
        if gone := [file.name for file in found if self.known.has_dropped(file.name)]:
            self.warnings.append(
                f"not received again, for it was dropped past its retention: {several(gone)}"
            )
        return [file for file in found if not self.known.has_dropped(file.name)]

    def sort_out(
        self, found: list[LandingFile], *, today: date | None, last_day: date | None
    ) -> dict[str, dict[LandingFile, Entry]]:
        """New files by stream; the others that need a reason are set aside."""
        received = self.known.received
        doubted = misnamed(
            {one.landed_on for one in found if one.stream not in requests.STREAMS},
            {one.landed_on for one in received if one.stream not in requests.STREAMS},
            today=today,
            last_day=last_day,
        )
        erased = tombstones.read(self.home)
        new, self.set_aside = new_files.sort_out(self.home, found, self.known, erased, doubted)
        return new

    def take_in(
        self, database: "DuckDBPyConnection", name: str, entries: Mapping[LandingFile, Entry]
    ) -> Totals:
        """Take in the new files of a stream."""
        folders = (self._folder(name), self._folder(f"rejected_{name}"))
        intake = take_in(database, self.contract.streams[name], list(entries), *folders)
        settled = [_settle(entry, intake, self.batch) for entry in entries.values()]
        self.received += [entry for entry in settled if entry.status == "received"]
        self.set_aside += [entry for entry in settled if entry.status == "set_aside"]
        self.rules[name] = dict(sorted(intake.rules.items()))
        self.examples[name] = {rule: str(row) for rule, row in intake.examples.items()}
        self.torn_lines |= intake.torn_lines
        self.warnings += lost_columns(name, settled, self.known)
        if share := implausible(database, self.contract.streams[name], folders[0]):
            self.warnings.append(share)
        self.notes += intake.notes
        if intake.naive:
            self.notes.append(
                f"{name}: {intake.naive.total():,} rows have a time without an offset, read as"
                f" UTC: {several(sorted(intake.naive))}"
            )
        unknown = sorted(intake.unknown.items())
        for column, names in unknown[:UNKNOWN_SHOWN]:
            self.warnings.append(
                f"{name}: unknown column {printable_name(column)} in {several(names)}"
            )
        if more := unknown[UNKNOWN_SHOWN:]:
            self.warnings.append(f"{name}: {len(more):,} more unknown columns")
        return count(settled)[name]

    def unknown_members(
        self,
        database: "DuckDBPyConnection",
        found: list[LandingFile],
        is_known: Callable[[str], bool],
    ) -> list[str]:
        """Erasure requests of this batch for ids that no member has."""
        unread = {entry.file for entry in self.set_aside}
        return requests.unknown(
            database,
            self.home,
            self.contract,
            self._folder(requests.STREAM),
            set_aside=[file for file in found if file.name in unread],
            is_known=is_known,
        )

    def check_requests(
        self,
        database: "DuckDBPyConnection",
        unknown: list[str],
        most_unknown: int,
        *,
        accept_erasures: bool,
    ) -> None:
        """Reject erase requests for `unknown` ids, or set all aside where they are too many."""
        requesting, reason = self._folder(requests.STREAM), None
        if len(unknown) > most_unknown and not accept_erasures:
            reason = (
                f"it asks to erase {len(unknown):,} ids that no member has, more than"
                f" {most_unknown} (MATINEE_UNKNOWN_REQUESTS): take the file away, or, if it is"
                " right, run again with `--accept-erasures`"
            )
        elif unknown:
            moved = requests.reject(
                requesting, self._folder(f"rejected_{requests.STREAM}"), unknown
            )
            self.received = [_rejected(entry, moved) for entry in self.received]
            broken = dict(self.rules[requests.STREAM])
            self.rules[requests.STREAM] = {**broken, requests.UNKNOWN: len(moved)}
            self.warnings.append(
                f"{requests.STREAM}: {len(moved):,} requests to erase ids that no member has are"
                f" rejected, the first {moved[0][0]} line {moved[0][1]}"
            )
        if not reason and not accept_erasures:
            reason = requests.why_not(database, self.home, requesting)
        if reason:
            held = [entry for entry in self.received if entry.stream == requests.STREAM]
            self.received = [one for one in self.received if one.stream != requests.STREAM]
            self.set_aside += [_hold_back(entry, reason) for entry in held]
            for table in (requests.STREAM, f"rejected_{requests.STREAM}"):
                shutil.rmtree(self._folder(table), ignore_errors=True)
            self.rules.pop(requests.STREAM)

    def done(self, n_found: int) -> Receipt:
        """The receipt of `n_found` files."""
        return Receipt(
            batch=self.batch if self.received else None,
            files=tuple(self.received),
            set_aside=tuple(self.set_aside),
            unchanged=n_found - len(self.received) - len(self.set_aside),
            rules=self.rules,
            warnings=tuple(self.warnings),
            examples=self.examples,
            torn_lines=self.torn_lines,
            notes=tuple(self.notes),
        )

    def _folder(self, table: str) -> Path:
        return ledger.folder_of(self.home, table, self.batch)


def _settle(entry: Entry, intake: Intake, batch: int) -> Entry:
    if reason := intake.torn.get(entry.file):
        return replace(entry, reason=reason)
    rows, rejected = intake.rows[entry.file], intake.rejected[entry.file]
    return replace(
        entry,
        rows=rows,
        kept=rows - rejected,
        rejected=rejected,
        batch=batch,
        status="received",
        columns=intake.columns[entry.file],
    )


def _rejected(entry: Entry, lines: list[tuple[str, int]]) -> Entry:
    """The entry when some lines that had been kept are rejected."""
    count = sum(file == entry.file for file, _ in lines) if entry.stream == requests.STREAM else 0
    return replace(entry, kept=entry.kept - count, rejected=entry.rejected + count)


def _hold_back(entry: Entry, reason: str) -> Entry:
    """The entry as if nothing of the file had been taken in."""
    counts = replace(entry, rows=0, kept=0, rejected=0, columns=())
    return replace(counts, status="set_aside", batch=None, reason=reason)
