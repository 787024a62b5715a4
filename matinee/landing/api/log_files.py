"""Landing files that the API appends to: on the disk before an event is acknowledged.

A file that is still appended to has a hidden name, so `receive` leaves it alone. It gets its name,
and is never changed again, as soon as no event waits, or when it is large. Its owner holds a lock
on it; what a crash left unlocked is given its name by `adopt`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from matinee import durable
from matinee.errors import StorageError

LARGEST_BYTES = 64 << 20
"""A larger file is closed."""

MOST_FILES = 30
"""Files of one stream that one writer closes in a minute; then it appends to the open one."""

MINUTE = 60.0

UNFINISHED = re.compile(r"\.api-[0-9a-z-]+\.jsonl", re.ASCII)


@dataclass
class _Open:
    descriptor: int
    folder: tuple[str, str]
    name: str
    bytes: int = 0


@dataclass
class LogFiles:
    """The open files of one writer: a process of the API."""

    home: Path
    writer: str
    """Lower-case letters, digits and `-`; no other process has it."""

    _open: dict[tuple[str, str], _Open] = field(default_factory=dict)
    _closed: dict[str, list[float]] = field(default_factory=dict)
    _number: int = 0

    def append(self, lines: Mapping[str, Sequence[bytes]], day: date) -> None:
        """Write events and wait until they are on the disk.

        Parameters
        ----------
        lines : stream -> lines without their ends
        day : date
            Of receipt: the name of the folder.

        Raises
        ------
        StorageError
            If they could not be written; then none of them counts.
        """
        for stream, rows in lines.items():
            key = stream, f"dt={day.isoformat()}"
            with durable.storage_errors(self.home / "landing" / "/".join(key)):
                self._append(key, b"".join(row + b"\n" for row in rows))

    def settle(self, *, is_idle: bool) -> None:
        """Give files their names: large ones, and all of them when nothing waits."""
        now = time.monotonic()
        for key, file in list(self._open.items()):
            recent = [at for at in self._closed.get(key[0], []) if at > now - MINUTE]
            self._closed[key[0]] = recent
            may_close = is_idle and len(recent) < MOST_FILES
            if may_close or file.bytes >= LARGEST_BYTES:
                self._close(key)

    def close(self) -> None:
        """Give every file its name."""
        for key in list(self._open):
            self._close(key)

    def _append(self, key: tuple[str, str], data: bytes) -> None:
        file = self._open.get(key)
        if file and not os.fstat(file.descriptor).st_nlink:  # an erasure wrote it anew
            os.close(self._open.pop(key).descriptor)
            file = None
        file = file or self._create(key)
        durable.append_plain(file.descriptor, data, at=file.bytes)
        file.bytes += len(data)

    def _create(self, key: tuple[str, str]) -> _Open:
        landing = self.home / "landing"
        landing.mkdir(parents=True, exist_ok=True)
        try:
            with durable.folder(landing, key, make=True) as folder:
                while True:
                    self._number += 1
                    name = f"api-{self.writer}-{self._number:08}.jsonl"
                    descriptor = durable.create_plain(f".{name}", folder)
                    # Another process may adopt it before it is locked.
                    if durable.try_lock(descriptor) and durable.has_name(f".{name}", folder):
                        break
                    os.close(descriptor)
        except durable.NotPlainError as error:
            raise StorageError(
                f"{landing / '/'.join(key)} cannot be written ({error}): remove the link"
            ) from None
        self._open[key] = file = _Open(descriptor, key, name)
        return file

    def _close(self, key: tuple[str, str]) -> None:
        """Give a file its name.

        Raises
        ------
        StorageError
            If it keeps its hidden name; `adopt` gives it the other one later.
        """
        file = self._open.pop(key)
        path = self.home / "landing" / "/".join(key)
        try:
            with durable.storage_errors(path), durable.folder(path.parents[1], key) as folder:
                durable.rename_plain(f".{file.name}", file.name, folder)
        except durable.NotPlainError as error:
            raise StorageError(f"{path}/.{file.name} cannot be renamed ({error})") from None
        finally:
            os.close(file.descriptor)
        self._closed.setdefault(key[0], []).append(time.monotonic())

    @property
    def has_open(self) -> bool:
        """Whether a file still has a hidden name."""
        return bool(self._open)


def adopt(home: Path) -> list[str]:
    """Give the files that a crash left their names; return them, below `landing/`.

    A line that was cut off was never acknowledged; `receive` rejects it by name.
    """
    landing = home / "landing"
    adopted = []
    for path in sorted(landing.glob("*/dt=*/.api-*.jsonl")):
        names = path.relative_to(landing).parts
        if not UNFINISHED.fullmatch(path.name):
            continue
        try:
            with durable.folder(landing, names[:-1]) as folder:
                descriptor = durable.open_plain(path.name, folder)
                try:
                    if not durable.try_lock(descriptor):
                        continue
                    final = path.name.removeprefix(".")
                    durable.rename_plain(path.name, final, folder)
                finally:
                    os.close(descriptor)
        except (durable.NotPlainError, FileNotFoundError):
            continue
        adopted.append("/".join((*names[:-1], final)))
    return adopted
