"""Closes connections on which nothing happens: half a head, half a body, or nothing at all.

The server has a limit for heads only, and it stops to accept when too many connections are open.
What a connection last did is known by the kernel (Linux: `TCP_INFO`), whoever holds its descriptor.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

IDLE_SECONDS, LOOK_SECONDS = 15.0, 3.0

DESCRIPTORS = Path("/proc/self/fd")

LAST_SENT, LAST_RECEIVED = 44, 52
"""Where `struct tcp_info` has milliseconds since data was sent and received."""


async def close_idle() -> None:
    """Close idle connections of this process until the server ends."""
    while DESCRIPTORS.is_dir():
        await asyncio.sleep(LOOK_SECONDS)
        await asyncio.to_thread(close_idle_for, IDLE_SECONDS)


def close_idle_for(seconds: float) -> int:
    """Close the accepted connections that were idle so long; return how many."""
    count = 0
    ports: set[int] = set()
    accepted = []
    try:
        for one in _sockets():
            if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                ports.add(one.getsockname()[1])
                one.close()
            else:
                accepted.append(one)
        for one in accepted:
            with suppress(OSError):
                if one.getsockname()[1] in ports and _idle_seconds(one) > seconds:
                    one.shutdown(socket.SHUT_RDWR)
                    count += 1
    finally:
        for one in accepted:
            one.close()
    return count


def _sockets() -> Iterator[socket.socket]:
    """The TCP sockets of this process, each by a descriptor of its own."""
    for name in os.listdir(DESCRIPTORS):
        try:
            descriptor = os.dup(int(name))
        except OSError:  # closed meanwhile
            continue
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            continue
        one = socket.socket(fileno=descriptor)
        if one.family in (socket.AF_INET, socket.AF_INET6) and one.type == socket.SOCK_STREAM:
            yield one
        else:
            one.close()


def _idle_seconds(connection: socket.socket) -> float:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_RECEIVED + 4)
    sent, received = (struct.unpack_from("I", info, at)[0] for at in (LAST_SENT, LAST_RECEIVED))
    return float(min(sent, received)) / 1000
