"""What members did since the last release: the events that the API accepted, for its next answers.

The landing files are the record; this SQLite file is derived from them and shared by the processes
of a server. Losing it loses nothing but the memory of which event ids came before.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from matinee.errors import StorageError

FILE = "serving/recent.sqlite"

IS_HIDDEN = 8
"""Beside the bits of `columns`: the title is not wanted."""

SCHEMA = """
    create table if not exists events (
        number integer primary key,
        event_id text not null unique,
        member_id text not null,
        title_id text,
        event_at integer not null,
        received_at integer not null,
        flags integer not null,
        position_seconds integer,
        progress_milli integer,
        episode_label text,
        country text,
        utc_offset_minutes integer
    );
    create index if not exists by_member on events (member_id, number);
    create index if not exists by_receipt on events (received_at);
"""


@dataclass(frozen=True, slots=True)
class Recent:
    """One accepted event; times are seconds since 1970 (UTC)."""

    event_id: str
    member_id: str
    title_id: str | None
    event_at: int
    received_at: int
    flags: int = 0
    position_seconds: int | None = None
    progress_milli: int | None = None
    episode_label: str | None = None
    country: str | None = None
    utc_offset_minutes: int | None = None
    number: int = 0
    """Their order over all processes."""


COLUMNS = tuple(name for name in Recent.__slots__ if name != "number")


class RecentEvents:
    """The file of one home, opened by one thread."""

    def __init__(self, home: Path) -> None:
        path = home / FILE
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
            self._database = sqlite3.connect(path, timeout=30, check_same_thread=False)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = off")
            self._database.execute("pragma secure_delete = on")
            self._database.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"{path} cannot be used ({error}): stop the server, remove the file and start again"
            ) from None

    def known(self, event_ids: Sequence[str]) -> set[str]:
        """Those event ids that came before."""
        found: set[str] = set()
        with self._errors():
            for start in range(0, len(event_ids), 500):
                some = event_ids[start : start + 500]
                marks = ",".join("?" * len(some))
                rows = self._database.execute(
                    f"select event_id from events where event_id in ({marks})", some
                )
                found.update(row[0] for row in rows)
        return found

    def add(self, events: Iterable[Recent]) -> None:
        """Remember accepted events; one that is there stays as it is."""
        marks = ",".join("?" * len(COLUMNS))
        rows = [tuple(getattr(one, name) for name in COLUMNS) for one in events]
        with self._errors(), self._database:
            self._database.executemany(
                f"insert or ignore into events ({', '.join(COLUMNS)}) values ({marks})", rows
            )

    def of_member(self, member_id: str, *, after: int, upto: int | None = None) -> list[Recent]:
        """A member's events that were received after an instant, in the order they were accepted.

        Parameters
        ----------
        after : int
            Seconds since 1970.
        upto : int, optional
            The number of the last event that counts.
        """
        with self._errors():
            rows = self._database.execute(
                f"select {', '.join(COLUMNS)}, number from events "
                "where member_id = ? and received_at >= ? and number <= ? order by number",
                (member_id, after, (1 << 62) if upto is None else upto),
            )
            return [Recent(*row) for row in rows]

    def last_number(self) -> int:
        """The number of the newest event; 0 without any."""
        with self._errors():
            (number,) = self._database.execute("select max(number) from events").fetchone()
        return int(number or 0)

    def drop_before(self, instant: int) -> None:
        """Forget what was received before an instant: a release knows it."""
        with self._errors(), self._database:
            self._database.execute("delete from events where received_at < ?", (instant,))

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what SQLite says of the disk into an error of ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"{FILE} cannot be used ({error})") from None


def erase(home: Path, member_ids: Iterable[str]) -> int:
    """Remove all events of some members; return how many there were."""
    path = home / FILE
    if not path.exists():
        return 0
    with closing(RecentEvents(home)) as recent:
        database = recent._database
        count = 0
        with database:
            for one in sorted(member_ids):
                count += database.execute("delete from events where member_id = ?", (one,)).rowcount
        database.execute("pragma wal_checkpoint(truncate)")
        database.execute("vacuum")
    return count
