"""Files that save work: kept in the cache folder of the user, and safe to delete at any time.

A file is read back only if nobody but the user could have written it and its hash is right. Where
there is no such folder (a container without a home, a disk that is full), nothing is kept and all
work is done again.
"""

import contextlib
import hashlib
import os
import re
import stat
from pathlib import Path

KEPT = 16
"""Files of one kind that stay; the ones used least recently go."""

_KEY = re.compile(r"[0-9a-f]{64}")
_DIGEST_BYTES = 32
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def read(kind: str, key: str) -> bytes | None:
    """What was kept under a key (a sha256 of all that it follows from); None if nothing usable."""
    try:
        folder = _folder(kind)
        descriptor = os.open(folder / _name(key), os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            if not _is_private(os.fstat(descriptor)):
                return None
            digest, content = file.read(_DIGEST_BYTES), file.read()
        if hashlib.sha256(content).digest() != digest:
            return None
        os.utime(folder / _name(key))
    except OSError:
        return None
    return content


def write(kind: str, key: str, content: bytes) -> None:
    """Keep content under a key, whole or not at all; an older file of another key may go."""
    with contextlib.suppress(OSError):
        folder = _folder(kind)
        draft = folder / f".{_name(key)}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            draft.replace(folder / _name(key))
        finally:
            draft.unlink(missing_ok=True)
        by_use = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in by_use[KEPT:]:
            path.unlink(missing_ok=True)


def _name(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"a key is 64 hexadecimal digits, got {key!r}")
    return key


def _folder(kind: str) -> Path:
    """The folder of a kind, made if missing: below `$XDG_CACHE_HOME` or `~/.cache`."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    if not root.is_absolute():
        raise FileNotFoundError(f"no cache folder: {root} is not absolute")
    for folder in (root / "matinee", root / "matinee" / kind):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(folder.lstat(), is_folder=True):
            raise PermissionError(f"others could write in {folder}")
    return root / "matinee" / kind


def _is_private(status: os.stat_result, *, is_folder: bool = False) -> bool:
    """Whether it is a plain file or folder that only this user can write."""
    is_kind = stat.S_ISDIR if is_folder else stat.S_ISREG
    return (
        is_kind(status.st_mode)
        and status.st_uid == os.geteuid()
        and not status.st_mode & _OTHERS_WRITE
    )
