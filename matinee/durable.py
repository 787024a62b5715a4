"""Durable writes: after a call returns, the bytes and the name survive a power cut.

This module alone syncs, renames and links files. It also opens folders and files by descriptor, so
that nothing that others planted on the way is followed. Before a name gets other bytes, `guards`
are called: that is how a process that lost the lease of a home is kept from it.
"""

import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from matinee.errors import StorageError

DRAFTS = ".drafts"
"""The private folder of a home: what is written before it gets its name elsewhere."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO must not block


guards: list[Callable[[Path], None]] = []
"""Called with a path before it is created, replaced, renamed, appended to or removed; may raise."""


def _guard(path: Path) -> None:
    for guard in guards:
        guard(path)


class NotPlainError(Exception):
    """What a name stands for is not a plain file or folder; the text says what it is."""


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into the StorageError that names the path and the cure."""
    try:
        yield
    except OSError as error:
        cure = "free some space" if is_full(error) else "check the disk and its rights"
        raise StorageError(
            f"{error.filename or path}: {error.strerror or error}; {cure}, then run again"
        ) from error


def is_full(error: OSError) -> bool:
    """Whether a disk or a quota is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


# ---------- files and folders of our own


def sync(path: Path) -> None:
    """Wait until a file, or the list of names in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
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


def create(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """A new file; FileExistsError when the name is taken, by a link too."""
    _guard(path)
    _fill(os.open(path, _NEW, mode), path, data)
    sync(path.parent)


def create_once(path: Path, data: bytes, *, mode: int = 0o666) -> bool:
    """A new file with all of its bytes at once; False when another writer came first."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    _guard(path)
    _fill(os.open(fresh, _NEW, mode), fresh, data)
    try:
        os.link(fresh, path)  # a link is what exactly one of several can make
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
        sync(path.parent)
    return True


def replace(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Put `data` in place of a file at once: a reader sees the old bytes or the new ones."""
    fresh = path.with_name(f".{path.name}.new")
    _guard(path)
    fresh.unlink(missing_ok=True)
    _fill(os.open(fresh, _NEW, mode), fresh, data)
    _guard(path)  # the bytes may have taken long
    os.replace(fresh, path)
    sync(path.parent)


def append(path: Path, line: bytes) -> None:
    """Add one line, cutting off first what a crash left of an earlier one."""
    _guard(path)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o666), "ab+") as file:
        file.seek(0)
        kept = file.read()
        whole = kept.rfind(b"\n") + 1
        file.truncate(whole)
        try:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(whole)
            raise
    sync(path.parent)


def rename(folder: Path, final: Path) -> None:
    """Give a folder its final name, once and for good."""
    _guard(final)
    os.rename(folder, final)
    sync(final.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    _guard(path)
    path.unlink(missing_ok=True)
    sync(path.parent)


def _fill(descriptor: int, path: Path, data: bytes) -> None:
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # a full disk gets the room back
        raise


# ---------- drafts


@dataclass(frozen=True)
class Drafts:
    """A private folder in which files are written before they get their names."""

    path: Path
    descriptor: int

    def new(self) -> Path:
        """A new, empty file."""
        name = secrets.token_hex(8)
        os.close(os.open(name, _NEW, 0o666, dir_fd=self.descriptor))
        return self.path / name


@contextmanager
def drafts(home: Path) -> Iterator[Drafts]:
    """A private folder of a home (mode 0700), removed at the end with all that is still in it.

    The folder is locked while its owner lives: that is how `sweep_drafts` tells what a crash left.

    Raises
    ------
    StorageError
        When `.drafts` is a link, or belongs to another user.
    """
    with _private(home) as parent:
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        os.mkdir(name, 0o700, dir_fd=parent)
        descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
        try_lock(descriptor)
    path = home / DRAFTS / name
    try:
        yield Drafts(path, descriptor)
    finally:
        try:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(descriptor)


def sweep_drafts(home: Path) -> None:
    """Remove the drafts whose owner died."""
    if not os.path.lexists(home / DRAFTS):
        return
    with _private(home) as parent:
        for name in os.listdir(parent):
            try:
                descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
            except NotADirectoryError:
                os.unlink(name, dir_fd=parent)
                continue
            try:
                if try_lock(descriptor):
                    shutil.rmtree(home / DRAFTS / name)
            finally:
                os.close(descriptor)


@contextmanager
def _private(home: Path) -> Iterator[int]:
    """The folder of all drafts, locked, so that no sweep meets a draft that is not locked yet."""
    path = home / DRAFTS
    home.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
        sync(home)
    except FileExistsError:
        pass
    try:
        descriptor = os.open(path, _FOLDER | os.O_NOFOLLOW)
    except NotADirectoryError:
        raise StorageError(f"{path} is not a folder: remove it, then run again") from None
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            raise StorageError(f"{path} belongs to user {status.st_uid}: remove it, then run again")
        if stat.S_IMODE(status.st_mode) != 0o700:
            os.fchmod(descriptor, 0o700)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def put(draft: Path, final: Path, *, folder: int | None = None) -> None:
    """Give a draft its final name, in place of the file that has it.

    Parameters
    ----------
    folder
        The open folder of `final`; without it, the folder is opened by its path. On another
        file system than the draft's, the bytes are copied to a new file there first.
    """
    sync(draft)
    _guard(final)
    parent = os.open(final.parent, _FOLDER) if folder is None else folder
    try:
        try:
            os.replace(draft, final.name, dst_dir_fd=parent)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(draft, final, parent)
        os.fsync(parent)
    finally:
        if folder is None:
            os.close(parent)


def _copy(draft: Path, path: Path, folder: int) -> None:
    fresh = f".{secrets.token_hex(8)}.new"
    mode = stat.S_IMODE(draft.stat().st_mode)
    try:
        with (
            draft.open("rb") as source,
            os.fdopen(os.open(fresh, _NEW, mode, dir_fd=folder), "wb") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
        _guard(path)
        os.replace(fresh, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        unlink(fresh, folder)
        raise


# ---------- by descriptor, following no link


@contextmanager
def folder(root: Path, names: Sequence[str], *, make: bool = False) -> Iterator[int]:
    """The open folder `root/names[0]/...`; `root` may be a link, nothing below it.

    Raises
    ------
    NotPlainError
        When one of the names is a link, or no folder.
    """
    descriptor = os.open(root, _FOLDER)
    try:
        for depth, name in enumerate(names, start=1):
            if name in ("", ".", "..") or "/" in name:
                raise NotPlainError(f"{'/'.join(names[:depth])} leads elsewhere")
            if make:
                try:
                    os.mkdir(name, dir_fd=descriptor)
                    os.fsync(descriptor)
                except FileExistsError:
                    pass
            try:
                below = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            except NotADirectoryError:
                raise NotPlainError(f"{'/'.join(names[:depth])} is a link or no folder") from None
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def open_plain(name: str, folder: int, *, one_name: bool = True) -> int:
    """The descriptor of a file to be read.

    Raises
    ------
    NotPlainError
        When it is a link or no file, or, with `one_name`, has other names.
    """
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if reason := why_not_plain(status, one_name=one_name):
        raise NotPlainError(reason)
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link or a socket took its place
            raise NotPlainError("not a regular file") from None
        raise
    if reason := why_not_plain(os.fstat(descriptor), one_name=one_name):
        os.close(descriptor)
        raise NotPlainError(reason)
    return descriptor


def create_plain(name: str, folder: int) -> int:
    """The descriptor of a new, empty file to append to; the name is on the disk."""
    descriptor = os.open(name, _NEW | os.O_APPEND, 0o666, dir_fd=folder)
    os.fsync(folder)
    return descriptor


def append_plain(descriptor: int, data: bytes, *, at: int) -> None:
    """Write at the end of an open file, whose size is `at`; all of it is on the disk, or none."""
    written = 0
    try:
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, at)
        raise


def rename_plain(name: str, final: str, folder: int) -> None:
    """Give a file of an open folder another name; NotPlainError when it is taken."""
    if has_name(final, folder):
        raise NotPlainError(f"{final} is there already")
    os.rename(name, final, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def read_plain(root: Path, names: Sequence[str], *, one_name: bool = True) -> bytes:
    """All bytes of the file `root/names[0]/...`; raises as `folder` and `open_plain` do."""
    with folder(root, names[:-1]) as above:
        descriptor = open_plain(names[-1], above, one_name=one_name)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def why_not_plain(status: os.stat_result, *, one_name: bool = True) -> str | None:
    """What a file is instead of a regular file (with one name), or None."""
    if stat.S_ISLNK(status.st_mode):
        return "a link"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if one_name and status.st_nlink > 1:
        return f"a hard link, one of {status.st_nlink} names of the same file"
    return None


def has_name(name: str, folder: int) -> bool:
    """Whether an open folder has a name, whatever it stands for."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def unlink(name: str, folder: int) -> None:
    """Remove a name from an open folder, if it is there; a link goes, never what it leads to."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    os.fsync(folder)


def try_lock(descriptor: int) -> bool:
    """Take the lock on an open file or folder if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
