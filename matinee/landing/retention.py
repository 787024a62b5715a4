"""Drops what is past its retention: landing files, received rows, and tells the ledger.

Days are counted by when a file landed (`dt`), from the instant of the night and never from the
clock. The ledger comes first: from then on nobody takes a file in again or misses it. What a crash
leaves after that is found and dropped by the next night.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from matinee.duckdb_paths import UNPARTITIONED, exact
from matinee.errors import StorageError
from matinee.landing import files, ledger
from matinee.landing.contract import Contract, Stream
from matinee.landing.ledger import Entry, Ledger
from matinee.landing.received import connection
from matinee.landing.withdrawals import without

CHOICES = "consents"
"""The stream whose old rows may still hold: a member's latest word on a purpose."""

IN_FORCE = f"""
    with delivered as (
        select
            *,
            least(received_at, landed_on + 1) as received,
            least(event_at, received_at, landed_on + 1) as made
        from read_parquet($paths, {UNPARTITIONED}, union_by_name = true)
        -- As in the warehouse: a refusal counts as soon as it is here.
        where received_at < $as_of or not granted
        qualify row_number() over (partition by event_id order by received_at, file, line) = 1
    ),
    refused as (
        select member_id, purpose, max(made) as last_made, max(received) as last_received
        from delivered where not granted group by member_id, purpose
    ),
    compared as (
        select
            *,
            granted and (
                last_made is null or (made > last_made and received >= last_received)
            ) as is_grant_in_force,
            bool_or(is_grant_in_force) over (partition by member_id, purpose) as is_granted
        from delivered left join refused using (member_id, purpose)
    ),
    deciding as (
        select landed_on from compared
        where is_grant_in_force
        qualify row_number() over (
            partition by member_id, purpose order by made desc, received desc, event_id desc
        ) = 1
        union all
        select landed_on from compared
        where not granted and not is_granted and (made = last_made or received = last_received)
    )
    select min(landed_on) from deciding
"""


@dataclass(frozen=True)
class Dropped:
    """What a night dropped of one stream."""

    stream: str
    kept_from: str
    """The first landed day that is kept."""
    files: int
    rows: int
    """Of those files, kept and rejected; repeats are rows too."""
    rejected_kept_from: str
    rejected_rows: int
    """Rejected rows that were dropped from files that stay."""


@dataclass(frozen=True)
class Expired:
    """What a night dropped, and what an earlier drop hides from it."""

    streams: tuple[Dropped, ...]
    warnings: tuple[str, ...]

    def summary(self) -> str:
        """A line a stream that lost something."""
        return "\n".join(
            f"{one.stream}: dropped {one.files:,} files with {one.rows:,} rows that landed before"
            f" {one.kept_from}, and {one.rejected_rows:,} rejected rows of before"
            f" {one.rejected_kept_from}"
            for one in self.streams
        )


def drop(
    *, home: Path, contract: Contract, as_of: datetime, threads: int, memory_limit: str
) -> Expired:
    """Drop all that is past its retention at `as_of`. The caller holds the lease.

    Raises
    ------
    StorageError
        When the disk cannot be read or written; the next night does the rest.
    """
    home = home.resolve()
    known = ledger.read(home)
    kept_from: dict[str, date] = {}
    dropped: list[Dropped] = []
    warnings: list[str] = []
    after = dict(known.entries)
    try:
        for stream in contract.streams.values():
            entries = [one for one in known.entries.values() if one.stream == stream.name]
            first = _first_kept_day(home, stream, entries, as_of, threads, memory_limit)
            first_rejected = max(first, _cutoff(as_of, stream.rejected_retention_days))
            kept_from[stream.name] = first
            moved = [_expired(entry, first, first_rejected) for entry in entries]
            after |= {entry.file: entry for entry in moved}
            dropped += _dropped_streams(stream.name, entries, moved, first, first_rejected)
            warnings += _hidden(stream.name, entries, first)
        if after != known.entries:
            ledger.write(home, Ledger(after))
        _hold_to_ledger(home, after)
        for entry in after.values():
            if entry.status == "dropped" and entry.landed_on < kept_from[entry.stream]:
                files.remove_named(home / "landing", entry.file)
    except OSError as error:
        raise StorageError(f"{error}: make room or mend the access, then run again") from error
    return Expired(tuple(dropped), tuple(warnings))


def _cutoff(as_of: datetime, days: int) -> date:
    return as_of.date() - timedelta(days=days)


def _first_kept_day(
    home: Path,
    stream: Stream,
    entries: list[Entry],
    as_of: datetime,
    threads: int,
    memory_limit: str,
) -> date:
    """The first landed day that is kept: never later than what still says how things are."""
    cutoff = _cutoff(as_of, stream.retention_days)
    here = [entry for entry in entries if entry.kept and entry.landed_on < as_of.date()]
    if not any(entry.landed_on < cutoff for entry in here):
        return cutoff
    if stream.kind == "snapshot":
        return min(cutoff, max(entry.landed_on for entry in here))
    if stream.name == CHOICES:
        paths = [exact(path) for path in _parts(home, stream.name)]
        with connection(home, threads, memory_limit) as database:
            parameters = {"paths": paths, "as_of": as_of.replace(tzinfo=None)}
            (oldest,) = database.execute(IN_FORCE, parameters).fetchone() or (None,)
        return min(cutoff, oldest or cutoff)
    return cutoff


def _expired(entry: Entry, first: date, first_rejected: date) -> Entry:
    """The entry as it is afterwards; the same when nothing of the file is past its retention."""
    if entry.landed_on < first and entry.status != "dropped":
        return replace(
            entry,
            status="dropped",
            reason=f"landed before {first}, the first day that is kept",
            rows=0,
            kept=0,
            rejected=0,
            dropped=entry.dropped + entry.rows,
        )
    if entry.landed_on < first_rejected and entry.rejected:
        dropped = entry.dropped + entry.rejected
        return replace(entry, rows=entry.kept, rejected=0, dropped=dropped)
    return entry


def _dropped_streams(
    stream: str, before: list[Entry], after: list[Entry], first: date, first_rejected: date
) -> Iterator[Dropped]:
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    whole = [old for old, new in pairs if new.status == "dropped"]
    if pairs:
        yield Dropped(
            stream=stream,
            kept_from=first.isoformat(),
            files=len(whole),
            rows=sum(entry.rows for entry in whole),
            rejected_kept_from=first_rejected.isoformat(),
            rejected_rows=sum(old.rejected for old, new in pairs if new.status != "dropped"),
        )


def _hidden(stream: str, entries: list[Entry], first: date) -> Iterator[str]:
    """What a night of the past would have kept, and a later one has dropped."""
    missing = sorted(e.landed_on for e in entries if e.status == "dropped" and e.landed_on >= first)
    if missing:
        yield (
            f"{stream}: {len(missing):,} files that landed from {missing[0]} to {missing[-1]} were"
            " dropped past their retention by a later night: this one does not see them"
        )


def _hold_to_ledger(home: Path, entries: Mapping[str, Entry]) -> None:
    """Take out of `received/` every row that the ledger says was dropped."""
    for is_rejected in (False, True):
        gone: dict[str, list[Entry]] = {}
        for entry in entries.values():
            if entry.dropped and not (entry.rejected if is_rejected else entry.kept):
                gone.setdefault(entry.stream, []).append(entry)
        for stream, dropped in gone.items():
            last = max(entry.landed_on for entry in dropped)
            names = [entry.file for entry in dropped]
            for path in _parts(home, f"rejected_{stream}" if is_rejected else stream):
                if _oldest_day(path) <= last:
                    without(home, path, names)


def _parts(home: Path, table: str) -> list[Path]:
    return sorted((home / "received" / table).glob("batch=*/*.parquet"))


def _oldest_day(path: Path) -> date:
    """The first landed day of a received file, from its footer."""
    footer = pq.read_metadata(path)
    place = footer.schema.names.index("landed_on")
    groups = [footer.row_group(n) for n in range(footer.num_row_groups)]
    days = [group.column(place).statistics for group in groups if group.num_rows]
    if any(one is None or not one.has_min_max for one in days):
        return date.min
    return min((one.min for one in days), default=date.max)
