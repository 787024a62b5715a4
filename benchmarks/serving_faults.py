"""What the API stands: kills, releases that change, and connections that never end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.server_process import Server, running
from benchmarks.synthetic_release import Size, publish
from matinee.landing.api import log_files
from matinee.releases import Store

SMALL, TINY = Size(members=2_000, titles=1_000), Size(members=60, titles=250)

NOW = "2026-01-01T01:00:00+00:00"

KILLS, SWAPS, SOCKETS, WRITERS, READERS = 20, 1_000, 200, 8, 4

SWAPS_OF_HOME = 100

Row = tuple[str, str, str, bool]


async def _request(stream: _Stream, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n"
    stream.writer.write(f"{head}content-type: application/json\r\n\r\n".encode() + body)
    text = await stream.reader.readuntil(b"\r\n\r\n")
    lines = text.decode().lower().split("\r\n")
    length = next((int(one[15:]) for one in lines if one.startswith("content-length:")), 0)
    return int(lines[0].split()[1]), await stream.reader.readexactly(length)


@dataclass(frozen=True)
class _Stream:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[_Stream]:
    stream = _Stream(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield stream
    finally:
        stream.writer.close()


# ---------- kills


def kills(home: Path) -> list[Row]:
    """Kill the process that answers while events are written; look for all that it acknowledged."""
    acknowledged: set[str] = set()
    for number in range(KILLS):
        with running(home, workers=1, now=NOW) as server:
            asyncio.run(_killed(server, number, acknowledged))
    log_files.adopt(home)
    landed = {
        row["event_id"]
        for path in (home / "landing").glob("plays/dt=*/api-*.jsonl")
        for row in _rows(path)
    }
    lost = acknowledged - landed
    text = f"{len(acknowledged):,} events acknowledged, {len(lost)} lost"
    return [(f"{KILLS} kills -9 under load", text, "none lost", not lost and bool(acknowledged))]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    for line in path.read_bytes().splitlines():
        with suppress(ValueError):  # cut off, and never acknowledged
            yield json.loads(line)


async def _killed(server: Server, turn: int, acknowledged: set[str]) -> None:
    """Write until the server is under load, then kill all of it."""
    count = len(acknowledged)
    writers = [
        asyncio.create_task(_write(server, f"{turn}-{one}", acknowledged)) for one in range(WRITERS)
    ]
    async with asyncio.timeout(30):
        while len(acknowledged) < count + 100:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.01 * (turn % 7))
    os.killpg(server.process.pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    for one in writers:
        one.cancel()
    await asyncio.gather(*writers, return_exceptions=True)


async def _write(server: Server, writer: str, acknowledged: set[str]) -> None:
    number = 0
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            async with _connected(server.port) as stream:
                while True:
                    number += 1
                    event = {
                        "stream": "plays",
                        "event_id": f"k-{writer}-{number}",
                        "event_at": "2026-01-01T00:30:00Z",
                        "member_id": f"m-{number % 1_000:06d}",
                        "title_id": "t-00017",
                        "watched_seconds": 600,
                    }
                    body = json.dumps([event]).encode()
                    status, _ = await _request(stream, "POST", "/v1/events", body)
                    if status == 202:
                        acknowledged.add(event["event_id"])
        await asyncio.sleep(0.05)


# ---------- swaps


@dataclass
class _Seen:
    """What the readers got: answers, errors, and answers of an old release after a new one."""

    answers: int = 0
    errors: int = 0
    mixed: int = 0
    old: str = ""
    new_since: float = float("inf")
    """When the first answer of the new release came."""

    fresh: asyncio.Event = field(default_factory=asyncio.Event)


def swaps(root: Path) -> list[Row]:
    """Move `live` to and fro while pages are read from two processes.

    In several homes, for each move reads the whole audit trail of its home.
    """
    answers = errors = mixed = done = 0
    for turn in range(SWAPS // SWAPS_OF_HOME):
        home = root / f"home-{turn}"
        home.mkdir()
        first, second = (publish(home, TINY, seed=seed, promote=seed == 1) for seed in (1, 2))
        with running(home, workers=2, now=NOW) as server:
            seen, count = asyncio.run(_swapped(home, server, [first.id, second.id]))
        answers, errors, mixed = answers + seen.answers, errors + seen.errors, mixed + seen.mixed
        done += count
    text = f"{done:,} swaps, {answers:,} pages, {errors} errors, {mixed} mixed"
    holds = not errors and not mixed and done == SWAPS
    return [(f"{SWAPS:,} release swaps under load", text, "no errors, none mixed", holds)]


async def _swapped(home: Path, server: Server, ids: list[str]) -> tuple[_Seen, int]:
    seen, store, done = _Seen(old=ids[1]), Store.of(home), 0
    readers = [asyncio.create_task(_read(server, one, seen)) for one in range(READERS)]
    for number in range(SWAPS_OF_HOME):
        old, new = ids[number % 2], ids[1 - number % 2]
        seen.old, seen.new_since = old, float("inf")
        seen.fresh.clear()
        at = datetime.now(UTC)
        await asyncio.to_thread(store.promote, new, expected=old, at=at, by="benchmark", why="swap")
        try:
            await asyncio.wait_for(seen.fresh.wait(), 20)
        except TimeoutError:
            break
        await asyncio.sleep(0.03)  # answers that may still be of the old one
        done += 1
    for one in readers:
        one.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return seen, done


async def _read(server: Server, reader: int, seen: _Seen) -> None:
    number = reader
    while True:
        try:
            async with _connected(server.port) as stream:
                for _ in range(20):  # another connection may lead to the other process
                    number += 1
                    old, begun = seen.old, time.monotonic()
                    path = f"/v1/members/m-{number % 60:06d}/page?limit=1"
                    status, body = await _request(stream, "GET", path)
                    seen.answers += 1
                    if status != 200:
                        seen.errors += 1
                        continue
                    is_old = json.loads(body)["release_id"] == old
                    if old != seen.old:  # sent before this swap began
                        continue
                    if not is_old and seen.new_since == float("inf"):
                        seen.new_since = time.monotonic()
                        seen.fresh.set()
                    seen.mixed += is_old and begun > seen.new_since
                    await asyncio.sleep(0.005)
        except (OSError, asyncio.IncompleteReadError):
            seen.errors += 1
            await asyncio.sleep(0.05)


# ---------- half-open


def half_open(home: Path) -> list[Row]:
    """Open connections that send half a head, or half a body, and wait until they are closed."""
    with running(home, workers=1, now=NOW) as server:
        asyncio.run(_p99(server, 1.0))  # what is opened at the first request
        before = asyncio.run(_p99(server, 4.0))
        half = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-more: "
        body = b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n[{"
        sockets = []
        for number in range(SOCKETS):
            one = socket.create_connection(("127.0.0.1", server.port))
            one.sendall((half, body, b"")[number % 3])
            one.setblocking(False)
            sockets.append(one)
        began = time.monotonic()
        during = asyncio.run(_p99(server, 4.0))
        open_ones = list(sockets)
        while open_ones and time.monotonic() - began < 30:
            open_ones = [one for one in open_ones if not _is_closed(one)]
            time.sleep(0.2)
        took = time.monotonic() - began
    rows: list[Row] = []
    text = f"{SOCKETS - len(open_ones)} closed within {took:.0f} s"
    rows.append((f"{SOCKETS} half-open connections", text, "all within 30 s", not open_ones))
    ratio = during / before
    text = f"slate {during:.2f} ms, before {before:.2f} ms: {ratio:.1f} times"
    rows.append(("p99 meanwhile", text, "at most 2 times", ratio <= 2))
    return rows


def _is_closed(one: socket.socket) -> bool:
    try:
        while one.recv(4_096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    one.close()
    return True


async def _p99(server: Server, seconds: float) -> float:
    """Milliseconds of a slate, of four readers."""
    times: list[float] = []
    end = time.monotonic() + seconds

    async def read() -> None:
        async with _connected(server.port) as stream:
            while time.monotonic() < end:
                began = time.monotonic()
                await _request(stream, "GET", "/v1/members/m-000007/slate?k=10")
                times.append(time.monotonic() - began)
                await asyncio.sleep(0.002)

    await asyncio.gather(*(read() for _ in range(4)))
    return sorted(times)[int(len(times) * 0.99)] * 1e3
