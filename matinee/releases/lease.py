"""One night at a time: a lease on the home that ends with the process that holds it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from matinee.errors import BusyError
from matinee.releases import files


@contextmanager
def lease(
    home: Path, *, name: str = "night", holder: str = "", wait_seconds: float = 1.0
) -> Iterator[None]:
    """Hold `<home>/<name>.lease` for as long as the block runs.

    The kernel drops the lock of a dead process, so its lease is free at once and needs no
    expiry. `holder` is free text for the error message of other processes.

    Raises
    ------
    BusyError
        If another process holds it, with its pid, host and start.
    """
    path = home / f"{name}.lease"
    with ExitStack() as stack:
        with files.storage_errors(path):
            home.mkdir(parents=True, exist_ok=True)
            try:
                held = stack.enter_context(files.locked(path, wait_seconds=wait_seconds))
            except BusyError:
                raise BusyError(
                    f"another {name} runs: {_holder(path)}; wait for it or end it"
                ) from None
            _write_holder(held, holder)
        yield


def _write_holder(descriptor: int, holder: str) -> None:
    """Write the holder to the lease file; the file's mtime is the start."""
    who = {"pid": os.getpid(), "host": socket.gethostname(), "holder": holder}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(who).encode(), 0)
    os.fsync(descriptor)


def _holder(path: Path) -> str:
    since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    try:
        who = json.loads(path.read_bytes())
    except ValueError:  # the holder is just writing it
        return f"its holder has only just started ({path})"
    holder = f" ({who['holder']})" if who["holder"] else ""
    return f"pid {who['pid']}{holder} on {who['host']} since {since:%Y-%m-%dT%H:%M:%SZ} ({path})"
