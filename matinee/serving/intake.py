"""Takes events in: checks them, waits until they are on the disk, and remembers them.

Events of many requests are written together (group commit): one sync of the disk for all that came
while the one before was written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson

from matinee.columns import (
    EVENT_AT,
    IS_INTERACTION,
    IS_NAMEABLE,
    IS_SEEN,
    MEMBER_ID,
    RECEIVED_AT,
    TITLE_ID,
)
from matinee.errors import MatineeError
from matinee.landing.api.check_rows import Broken, first_broken_rule, instant, is_missing
from matinee.landing.api.log_files import LogFiles
from matinee.landing.contract import Contract, Stream
from matinee.recent_events import IS_HIDDEN, Recent, RecentEvents
from matinee.serving.problems import ProblemError

STREAMS = ("plays", "ratings", "searches", "impressions")
"""What a client may send; consent and erasure have routes of their own."""

MOST_EVENTS = 5_000
"""In one request."""

SETTLE_SECONDS = 5.0
"""Until a file that was left open is looked at again."""

Row = dict[str, Any]


@dataclass
class Waiting:
    """Checked events that are not on the disk yet."""

    lines: list[tuple[str, bytes]]
    """Stream and line."""

    events: list[Recent]
    day: date
    """Of receipt."""

    done: asyncio.Future[None]


@dataclass
class Intake:
    """The events of one process."""

    contract: Contract
    files: LogFiles
    recent: RecentEvents
    """Of the thread that answers."""

    writer: RecentEvents
    """Of the thread that writes."""

    dbt_vars: Mapping[str, Any]
    """Where the project sets from when on a title counts as seen."""

    runtime_of: Callable[[str], int | None]
    """Title -> seconds, where a play does not say."""

    _queue: list[Waiting] = field(default_factory=list)
    _underway: dict[str, Waiting] = field(default_factory=dict)
    """Ids that are being written."""

    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, rows: Sequence[Any], now: datetime) -> Row:
        """Take some events in; `{accepted, duplicates, rejected}`.

        Raises
        ------
        ProblemError
            503 if they cannot be written: then none of them was accepted.
        """
        received_at = f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"
        rejected: list[Row] = []
        checked: dict[str, tuple[str, Row]] = {}
        others: list[Waiting] = []
        duplicates = 0
        for index, row in enumerate(rows):
            if broken := self._broken(row, received_at):
                rejected.append(_rejected(index, broken))
                continue
            event_id = row["event_id"]
            if event_id in checked:
                duplicates += 1
            elif event_id in self._underway:
                duplicates += 1
                others.append(self._underway[event_id])
            else:
                stream = self.contract.streams[row["stream"]]
                checked[event_id] = stream.name, _without_missing(stream, _landed(row, received_at))
        before = self.recent.known(list(checked))
        duplicates += len(before)
        fresh = {name: pair for name, pair in checked.items() if name not in before}
        if fresh:
            await self._write(fresh, now.date())
        for one in others:  # their first copies are on the disk before they are acknowledged
            await _written(one)
        return {"accepted": len(fresh), "duplicates": duplicates, "rejected": rejected}

    def _broken(self, row: Any, received_at: str) -> Broken | None:
        if not isinstance(row, dict):
            return Broken("", "unreadable_line", row)
        stream = self.contract.streams.get(str(row.get("stream")))
        if stream is None or stream.name not in STREAMS:
            return Broken("stream", "not_allowed", row.get("stream"))
        if RECEIVED_AT in row:
            return Broken(RECEIVED_AT, "set_by_server", row[RECEIVED_AT])
        return first_broken_rule(stream, _landed(row, received_at))

    async def hide(self, event_id: str, member_id: str, title_id: str, now: datetime) -> None:
        """Record that a member is not interested in a title: a thumb down in the logs."""
        if not self.recent.known([event_id]):
            stream, row, event = hidden(event_id, member_id, title_id, now)
            await self._settled([(stream, self._line(stream, row))], [event], now.date())

    async def _write(self, fresh: Mapping[str, tuple[str, Row]], day: date) -> None:
        lines = [(stream, self._line(stream, row)) for stream, row in fresh.values()]
        events = [self._remembered(stream, row) for stream, row in fresh.values()]
        await self._settled(lines, events, day)

    async def _settled(
        self, lines: Sequence[tuple[str, bytes]], events: Sequence[Recent], day: date
    ) -> None:
        """Wait until some events are on the disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = Waiting(list(lines), list(events), day, done)
        self._underway |= {one.event_id: waiting for one in events}
        self._queue.append(waiting)
        self._wake.set()
        await _written(waiting)

    async def run(self) -> None:
        """Write what waits until the server ends."""
        while True:
            with suppress(TimeoutError):
                # Files that were closed too often of late are closed a little later.
                seconds = SETTLE_SECONDS if self.files.has_open else None
                await asyncio.wait_for(self._wake.wait(), seconds)
            self._wake.clear()
            batch, self._queue = self._queue, []
            if batch:
                await self._finish(batch)
                await asyncio.sleep(0)
            if not self._queue:
                with suppress(MatineeError, OSError):  # the files keep their hidden names
                    await asyncio.to_thread(self.files.settle, is_idle=True)

    async def _finish(self, batch: Sequence[Waiting]) -> None:
        failure: Exception | None = None
        try:
            await asyncio.to_thread(self._commit, batch)
        except (MatineeError, OSError) as error:
            failure = error
        for one in batch:
            for event in one.events:
                self._underway.pop(event.event_id, None)
            if one.done.done():  # nobody waits any more
                continue
            if failure is None:
                one.done.set_result(None)
            else:
                one.done.set_exception(failure)

    def _commit(self, batch: Sequence[Waiting]) -> None:
        for day in sorted({one.day for one in batch}):
            lines: dict[str, list[bytes]] = {}
            for one in batch:
                for stream, line in one.lines if one.day == day else ():
                    lines.setdefault(stream, []).append(line)
            self.files.append(lines, day)
        self.writer.add([event for one in batch for event in one.events])
        with suppress(MatineeError, OSError):  # they are on the disk, under a hidden name
            self.files.settle(is_idle=False)

    def close(self) -> None:
        with suppress(MatineeError, OSError):
            self.files.close()

    def _line(self, stream: str, row: Row) -> bytes:
        """A row with every column, as other files have them: a missing one would be reported."""
        names = self.contract.streams[stream].names
        return orjson.dumps({name: row.get(name) for name in names})

    def _remembered(self, stream: str, row: Row) -> Recent:
        progress, flags = self._progress(stream, row), 0
        if stream == "plays":
            flags = _play_flags(row, self._watched_milli(row), self.dbt_vars["seen_from_milli"])
        elif stream == "ratings":
            flags = _rating_flags(row)
        elif row.get("clicked_title_id") or row.get("was_clicked"):
            flags = IS_INTERACTION
        return Recent(
            event_id=row["event_id"],
            member_id=row[MEMBER_ID],
            title_id=row.get(TITLE_ID) or row.get("clicked_title_id"),
            event_at=int(instant(row[EVENT_AT]).timestamp()),
            received_at=int(instant(row[RECEIVED_AT]).timestamp()),
            flags=flags,
            position_seconds=row.get("position_seconds") if progress is not None else None,
            progress_milli=progress,
            episode_label=row.get("episode_label"),
            country=row.get("country"),
            utc_offset_minutes=row.get("utc_offset_minutes"),
        )

    def _runtime(self, row: Row) -> int:
        own = row.get("runtime_seconds") or self.runtime_of(row[TITLE_ID])
        return int(own or self.dbt_vars["assumed_runtime_seconds"])

    def _watched_milli(self, row: Row) -> int:
        return min(1000, int(row["watched_seconds"]) * 1000 // self._runtime(row))

    def _progress(self, stream: str, row: Row) -> int | None:
        position = row.get("position_seconds") if stream == "plays" else None
        if position is None or row.get("is_trailer"):
            return None
        return min(1000, int(position) * 1000 // self._runtime(row))


def hidden(event_id: str, member_id: str, title_id: str, now: datetime) -> tuple[str, Row, Recent]:
    """What "not interested" leaves: a thumb down in the logs, and a title that is not shown."""
    at = f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"
    row = {
        "event_id": event_id,
        EVENT_AT: at,
        RECEIVED_AT: at,
        MEMBER_ID: member_id,
        TITLE_ID: title_id,
        "rating_kind": "thumbs",
        "value": -1,
    }
    seconds = int(now.timestamp())
    event = Recent(event_id, member_id, title_id, seconds, seconds, IS_SEEN | IS_HIDDEN)
    return "ratings", row, event


def _play_flags(row: Row, watched_milli: int, seen_from: Mapping[str, int]) -> int:
    if row.get("is_trailer"):
        return IS_INTERACTION if watched_milli >= seen_from["play"] else 0
    if watched_milli < seen_from["play"]:
        return 0
    if row.get("is_autoplay") and watched_milli < seen_from["autoplay"]:
        return IS_INTERACTION
    return IS_SEEN | IS_INTERACTION | IS_NAMEABLE


def _rating_flags(row: Row) -> int:
    is_liked = row["value"] > 0 if row["rating_kind"] == "thumbs" else row["value"] >= 5
    return IS_SEEN | (IS_INTERACTION | IS_NAMEABLE if is_liked else 0)


def _landed(row: Row, received_at: str) -> Row:
    kept = {name: value for name, value in row.items() if name != "stream"}
    return {**kept, RECEIVED_AT: received_at}


def _without_missing(stream: Stream, row: Row) -> Row:
    """A checked row without the values that stand for none, such as empty texts."""
    columns = {column.name: column for column in stream.columns}
    return {
        name: value
        for name, value in row.items()
        if columns[name].required or not is_missing(stream, columns[name], value)
    }


async def _written(waiting: Waiting) -> None:
    """Wait until some events are on the disk.

    Raises
    ------
    ProblemError
        503 if they cannot be written.
    """
    try:
        await asyncio.shield(waiting.done)
    except (MatineeError, OSError) as error:
        raise ProblemError(503, f"the events were not written, send them again: {error}") from None


def _rejected(index: int, broken: Broken) -> Row:
    value = broken.value
    shown = value if isinstance(value, int | float | bool | None) else str(value)[:60]
    return {"index": index, "column": broken.column, "rule": broken.rule, "value": shown}
