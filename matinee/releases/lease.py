"""A lease on a home: one holder at a time, for as long as its process lives.

The lock is on a folder, for a night the home itself, so nothing that happens to a file in it lets a
second holder in. `<name>.lease` only says who holds it.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from matinee import durable
from matinee.errors import BusyError
from matinee.provenance import parse_json

NIGHT = "night"
LOCKS = ".leases"
"""The folder of a home with one folder to lock for each name but the night's."""

NOTES = frozenset({"night.lease", "consent.lease", "budget.lease", "tokens.lease"})
"""The files of a home that say who holds it; they name processes, never members."""


@dataclass(frozen=True, eq=False)
class Lease:
    """A home that this process holds."""

    home: Path
    name: str
    holder: str
    descriptor: int
    """The open folder that is locked."""

    @property
    def folder(self) -> Path:
        """The folder that is locked."""
        return _folder(self.home, self.name)

    @property
    def note(self) -> Path:
        """The file that says who holds the home."""
        return self.home / f"{self.name}.lease"

    def check(self) -> None:
        """Make sure that the folder is still the one that is held, and write a lost note again.

        Raises
        ------
        BusyError
            When another folder is in its place, or another process has the lock.
        """
        if not (_is_open(self.folder, self.descriptor) and durable.try_lock(self.descriptor)):
            raise BusyError(
                f"{self.folder} was replaced, or taken by another process, while the {self.name} "
                f"lease of this one was on it: nothing more is written; find out by whom, then "
                f"run again"
            )
        if not self.note.exists():
            self.sign_in()

    def sign_in(self) -> None:
        """Say who holds the home; the file's own time says since when."""
        who = {"pid": os.getpid(), "host": socket.gethostname(), "holder": self.holder}
        durable.replace(self.note, json.dumps(who).encode())


_held: list[Lease] = []
"""What this process holds: a lock belongs to the process, whichever thread asks."""


def fence(path: Path) -> None:
    """Refuse to go on when this process held the home above `path`, and does no more.

    Raises
    ------
    BusyError
        As `Lease.check` does.
    """
    path = path.absolute()
    if path.name in NOTES:  # `Lease.check` itself writes them
        return
    for one in tuple(_held):
        if path == one.home or one.home in path.parents:
            one.check()


durable.guards.append(fence)


@contextmanager
def lease(
    home: Path, *, name: str = NIGHT, holder: str = "", wait_seconds: float = 1.0
) -> Iterator[Lease]:
    """Hold a home for as long as the block runs; leases of different names do not meet.

    The kernel drops the lock of a dead process, so its lease is free at once and needs no
    expiry. `holder` is free text for the error message of other processes.

    Raises
    ------
    BusyError
        If another process holds it, with its pid, host and start.
    """
    home = home.absolute()
    with durable.storage_errors(home):
        held = Lease(home, name, holder, _locked(home, name, wait_seconds))
        try:
            held.sign_in()
            _held.append(held)
        except BaseException:
            os.close(held.descriptor)
            raise
    try:
        yield held
    finally:
        _held.remove(held)
        try:
            if _is_open(held.folder, held.descriptor):
                held.note.unlink(missing_ok=True)
        finally:
            os.close(held.descriptor)


def _folder(home: Path, name: str) -> Path:
    return home if name == NIGHT else home / LOCKS / name


def _locked(home: Path, name: str, wait_seconds: float) -> int:
    """The locked descriptor of the folder that has the path now."""
    folder = _folder(home, name)
    deadline = time.monotonic() + wait_seconds
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if durable.try_lock(descriptor) and _is_open(folder, descriptor):
            return descriptor
        os.close(descriptor)
        if time.monotonic() >= deadline:
            raise BusyError(f"another {name} runs: {_holder(home / f'{name}.lease')}")
        time.sleep(0.01)


def _is_open(folder: Path, descriptor: int) -> bool:
    """Whether a descriptor is of the folder that has the path now."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(note: Path) -> str:
    try:
        since = datetime.fromtimestamp(note.stat().st_mtime, UTC)
        who = parse_json(note.read_bytes())
        by = f" ({who['holder']})" if who["holder"] else ""
        text = f"pid {who['pid']}{by} on {who['host']} since {since:%Y-%m-%dT%H:%M:%SZ}"
    except (OSError, ValueError, KeyError, TypeError):  # it signs in just now
        text = "its holder has only just started"
    return f"{text} ({note}); wait for it or end it"
