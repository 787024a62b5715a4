"""Follows the live release: verified before it is used, the same for all processes of a server.

`serving/current` names the release that answers come from. The first process that has verified a
new live release writes it; all others see that at their next request, and open the release then.
"""

from __future__ import annotations

import asyncio
import fcntl
import math
import mmap
import os
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from matinee.errors import ConfigError, MatineeError, StorageError
from matinee.releases import Store
from matinee.serving.fold_in import FoldIn
from matinee.serving.problems import ProblemError
from matinee.serving.release_view import ReleaseView
from matinee.settings import Settings

CURRENT = "serving/current"
"""One line: the id of the release, and whether it is used because live does not verify."""

SIZE = 64

LOOK_SECONDS = 0.2

RETRY_SECONDS = 10.0
"""Until a live release that did not verify is verified again."""

KEPT = 3
"""Releases that stay open: pages go on from the release they began with."""

DEGRADED, SOUND = b"!", b" "


@dataclass(frozen=True)
class Opened:
    """An open release."""

    view: ReleaseView
    fold_in: FoldIn


@dataclass
class Live:
    """The releases that one process has open."""

    settings: Settings
    problem: str = ""
    """Why the live release is not used; '' while it is."""

    _pointer: mmap.mmap | None = None
    _line: bytes = b""
    _opened: dict[str, Opened] = field(default_factory=dict)
    _verified: set[str] = field(default_factory=set)
    """Previous releases that were verified."""

    _current: Opened | None = None
    is_degraded: bool = False
    _looked_at: tuple[int, ...] = ()
    _look_again: float = math.inf
    """Monotonic seconds, while live does not verify."""

    @property
    def store(self) -> Store:
        return Store.of(self.settings.home)

    def start(self) -> None:
        """Open the live release, or the previous one where live does not verify.

        Raises
        ------
        ConfigError
            If there is no release to serve.
        """
        path = self.settings.home.resolve() / CURRENT
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            if os.fstat(descriptor).st_size != SIZE:
                os.ftruncate(descriptor, SIZE)
            self._pointer = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)
        if not self.look() or not self._pointer[:SIZE].strip(b"\0"):
            raise ConfigError(f"there is no release to serve: {self.problem}")

    def current(self) -> Opened:
        """The release that new answers come from."""
        pointer = self._pointer
        assert pointer is not None  # noqa: S101 - `start` was called
        line = pointer[:SIZE]
        if line != self._line and (parsed := _parsed(line)):
            self._current = self.open(parsed[0])
            self._line, self.is_degraded = line, parsed[1]
        assert self._current is not None  # noqa: S101 - the line is not empty after `start`
        return self._current

    def open(self, release_id: str) -> Opened:
        """A release by its id; one that this server verified, or had open.

        Raises
        ------
        ConfigError
            If it is gone.
        StorageError
            If it has no `serving/`, or a file of it cannot be read.
        """
        if release_id not in self._opened:
            release = self.store.open(release_id)
            try:
                view = ReleaseView.open(release)
                view.prepare()
            except (OSError, ValueError) as error:
                raise StorageError(f"{release_id} cannot be served: {error}") from None
            while len(self._opened) >= KEPT:
                self._opened.pop(next(iter(self._opened)))
            self._opened[release_id] = Opened(view, FoldIn(view))
        return self._opened[release_id]

    async def named(self, name: Literal["live", "previous"]) -> Opened:
        """The release that new answers come from, or the one before."""
        return self.current() if name == "live" else await asyncio.to_thread(self.previous)

    def previous(self) -> Opened:
        """The release before the live one, verified when it is first asked for.

        Raises
        ------
        ProblemError
            404 if there is none.
        MatineeError
            If it does not verify.
        """
        try:
            release_id = self.store.open("previous").id
        except ConfigError as error:
            raise ProblemError(404, f"there is no release to compare with: {error}") from None
        if release_id not in self._verified:
            self.store.verify(release_id)
            self._verified.add(release_id)
        return self.open(release_id)

    def look(self) -> bool:
        """Verify the live release if it is another one; return whether there is one to serve."""
        home = self.settings.home.resolve()
        signature = _signature(home / "releases" / "aliases.json")
        if self._current and signature == self._looked_at and time.monotonic() < self._look_again:
            return True
        problems = []
        for name, flag in (("live", SOUND), ("previous", DEGRADED)):
            try:
                release_id = self.store.open(name).id
                self.store.verify(release_id)
                self.open(release_id)
            except MatineeError as error:
                problems.append(f"{name}: {error}")
                continue
            self._note(problems)
            if self._point_to(release_id, flag, signature):
                self._looked_at = signature
            return True
        self._note(problems)
        self._looked_at = signature
        return self._current is not None

    def _note(self, problems: list[str]) -> None:
        self.problem = "; ".join(problems)
        self._look_again = time.monotonic() + RETRY_SECONDS if problems else math.inf

    async def follow(self) -> None:
        """Look at the alias until the server ends."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.look)
            except Exception as error:  # the server goes on with the release that it has
                self._note([f"{type(error).__name__}: {error}"])

    def _point_to(self, release_id: str, flag: bytes, signature: tuple[int, ...]) -> bool:
        """Let all processes answer from a release, unless the aliases have changed meanwhile.

        Under the lock nobody can bring an older release back that took longer to verify.
        """
        pointer = self._pointer
        assert pointer is not None  # noqa: S101 - `start` was called
        home = self.settings.home.resolve()
        descriptor = os.open(home / CURRENT, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _signature(home / "releases" / "aliases.json") != signature:
                return False
            line = _line(release_id, flag)
            if pointer[:SIZE] != line:
                pointer[:SIZE] = line
        finally:
            os.close(descriptor)
        return True


def _line(release_id: str, flag: bytes) -> bytes:
    text = release_id.encode() + flag
    return (text + b"%08x" % zlib.crc32(text)).ljust(SIZE, b"\0")


def _parsed(line: bytes) -> tuple[str, bool] | None:
    """The id and whether it stands in for live; None for a line that is being written."""
    text, check = line.rstrip(b"\0")[:-8], line.rstrip(b"\0")[-8:]
    if check != b"%08x" % zlib.crc32(text):
        return None
    return text[:-1].decode("ascii"), text[-1:] == DEGRADED


def _signature(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_ino, status.st_size
