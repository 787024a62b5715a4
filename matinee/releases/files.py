"""File operations of the store: durable, atomic, with errors that name the path."""

import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matinee.errors import BusyError, IntegrityError, StorageError


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into the StorageError that names the path and the cure."""
    try:
        yield
    except OSError as error:
        cure = "free some space" if error.errno == errno.ENOSPC else "check the disk and its rights"
        raise StorageError(
            f"{error.filename or path}: {error.strerror or error}; {cure}, then run again"
        ) from error


def sync(path: Path) -> None:
    """Wait until a file, or the list of names in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until every file and folder below, then the folder itself, is on the disk."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in sorted(names):
            sync(Path(parent, name))
        sync(Path(parent))


def write(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """A new file, on the disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, data: bytes) -> None:
    """Put `data` in place of a file at once: a reader sees the old bytes or the new ones."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    write(fresh, data)
    os.replace(fresh, path)
    sync(path.parent)


def append(path: Path, line: bytes) -> None:
    """Add one line, cutting off first what a crash left of an earlier one."""
    with open(path, "ab+") as file:
        file.seek(0)
        kept = file.read()
        file.truncate(kept.rfind(b"\n") + 1)
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def rename(folder: Path, final: Path) -> None:
    """Give a folder its final name, once and for good."""
    os.rename(folder, final)
    sync(final.parent)


def remove(folder: Path) -> None:
    """Take a folder away; a crash leaves it whole, or under a name that `sweep` removes."""
    doomed = folder.with_name(f".doomed-{folder.name.lstrip('.')}")
    os.rename(folder, doomed)
    sync(folder.parent)
    discard(doomed)


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


def try_lock(descriptor: int) -> bool:
    """Take the lock on an open file or folder if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
