"""File operations of the store: durable, atomic, with errors that name the path."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from matinee import durable
from matinee.durable import storage_errors, sync, sync_tree, try_lock
from matinee.errors import BusyError, IntegrityError, StorageError

__all__ = [
    "PARQUET",
    "append",
    "discard",
    "locked",
    "measure",
    "remove",
    "rename",
    "replace",
    "sha256",
    "storage_errors",
    "sync",
    "sync_tree",
    "try_lock",
    "walk",
    "with_room",
    "write",
]

write, replace, append, rename = durable.create, durable.replace, durable.append, durable.rename

PARQUET: Mapping[str, Any] = {"compression": "zstd", "write_page_checksum": True}
"""How the Parquet files of a release are written: a flipped byte is found as it is read."""

BLOCK = 1 << 20


def remove(folder: Path) -> None:
    """Take a folder away; a crash leaves it whole, or under a name that `sweep` removes."""
    doomed = folder.with_name(f".doomed-{folder.name.lstrip('.')}")
    rename(folder, doomed)
    discard(doomed)


def with_room(folder: Path, act: Callable[[], object]) -> None:
    """Call `act`; on a full disk once more, after the files of a folder that is to go are gone.

    The folder stays, empty, for as long as `act` needs it.
    """
    try:
        act()
    except StorageError as error:
        cause = error.__cause__
        if not (isinstance(cause, OSError) and durable.is_full(cause)):
            raise
        remove(folder)
        folder.mkdir()
        try:
            act()
        except BaseException:
            folder.rmdir()
            raise


def discard(folder: Path) -> None:
    """Take away a folder whose name already says that it is no release."""
    shutil.rmtree(folder)


def walk(folder: Path) -> list[str]:
    """Every file below, as `/`-separated relative names, sorted. Only plain files and folders."""
    names = []
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(parent, name)
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise IntegrityError(
                    f"{folder.name}/{relative} is not a plain file: a release holds no links"
                )
        names += [Path(parent, name).relative_to(folder).as_posix() for name in files]
    return sorted(names)


def sha256(path: Path) -> str:
    """The hash of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure(file: BinaryIO, most_bytes: int) -> tuple[int, str]:
    """The size of an open file and the sha256 of its bytes; no more than one beyond is read."""
    count, digest = 0, hashlib.sha256()
    while count <= most_bytes and (block := file.read(min(BLOCK, most_bytes + 1 - count))):
        count += len(block)
        digest.update(block)
    return count, digest.hexdigest()


@contextmanager
def locked(path: Path, *, wait_seconds: float) -> Iterator[int]:
    """Hold the lock on a file; the kernel lets go of it when the process dies.

    Yields the open descriptor. A process forked off meanwhile shares the lock, one started
    afresh does not.

    Raises
    ------
    BusyError
        If someone else still holds it after `wait_seconds`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + wait_seconds
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise BusyError(f"{path} is held by another process: wait for it, then run again")
            time.sleep(0.01)
        yield descriptor
    finally:
        os.close(descriptor)
