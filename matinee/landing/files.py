"""Reads and replaces single files below `landing/`, by descriptor: no link there is followed.

Others can write to `landing/`, so nothing is drafted there. A file is opened once, and what is
hashed is what is read.
"""

import gzip
import hashlib
import os
import stat
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, cast

from matinee import durable
from matinee.durable import Drafts, NotPlainError

SIDECAR = ".sha256"
TOMBSTONE = ".withdrawn"
"""After the name of a landing file: it is withdrawn, and not received while this is there."""
HEAD_BYTES = 64 << 10
CHUNK_BYTES = 1 << 20
GZIP = zlib.MAX_WBITS | 16
SIDECAR_BYTES, SIDECAR_LINES = 4096, 8
"""As much of a sidecar is read."""


class TornError(Exception):
    """The file as a whole cannot be read; the text says why.

    `example` is a line of it. It may name members, so it is shown and never kept.
    """

    def __init__(self, reason: str, example: str | None = None) -> None:
        super().__init__(reason)
        self.example = example


@dataclass(frozen=True)
class LandingFile:
    """One file of the landing zone."""

    path: Path
    name: str
    """The path below `landing/`: how the ledger and every row call it."""
    stream: str
    landed_on: date
    format: str
    """`jsonl`, `csv` or `parquet`; compression is told by the path's suffix."""
    sha256: str | None = None
    """The hash that its bytes must have when they are read; None when any will do."""

    @property
    def landing(self) -> Path:
        """The landing zone that it is in."""
        return self.path.parents[self.name.count("/")]


class Source:
    """One opened landing file, hashed while it is read."""

    def __init__(self, file: LandingFile, opened: IO[bytes]) -> None:
        self.file = file
        self.size = os.fstat(opened.fileno()).st_size
        """Bytes that it had when it was opened."""
        self._opened = opened
        self._closing = ExitStack()
        self._closing.enter_context(opened)
        self._hash = hashlib.sha256()
        self._spool: IO[bytes] | None = None
        self._ahead = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes as they lie on the disk."""
        ahead = self._ahead if size < 0 else self._ahead[:size]
        self._ahead = self._ahead[len(ahead) :]
        return ahead + self._next(size if size < 0 else size - len(ahead))

    def head(self) -> bytes:
        """The first bytes of a text file, unpacked, before any is read; also of a cut gzip file."""
        if not self._ahead:
            self._ahead = self._next(HEAD_BYTES)
        if self.file.path.suffix != ".gz":
            return self._ahead
        try:
            return zlib.decompressobj(GZIP).decompress(self._ahead, HEAD_BYTES)
        except zlib.error:
            return b""

    def _next(self, size: int) -> bytes:
        data = self._opened.read(size)
        self._hash.update(data)
        return data

    def text(self) -> IO[bytes]:
        """The bytes of a text file, unpacked."""
        if self.file.path.suffix == ".gz":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=cast("IO[bytes]", self), mode="rb"))
        return cast("IO[bytes]", self)

    def seekable(self) -> IO[bytes]:
        """A copy without a name of a file that is not read from its start to its end: Parquet."""
        if self._spool is None:
            spool = tempfile.TemporaryFile(dir=self.file.landing.parent)  # noqa: SIM115
            self._spool = self._closing.enter_context(spool)
            while chunk := self.read(CHUNK_BYTES):
                self._spool.write(chunk)
        self._spool.seek(0)
        return self._spool

    def sha256(self) -> str:
        """The hash of all bytes; what was not read yet is read now."""
        while self.read(CHUNK_BYTES):
            pass
        return self._hash.hexdigest()

    def check(self) -> None:
        """Refuse a file whose bytes are not those that were hashed before.

        Raises
        ------
        TornError
            When they are not.
        """
        expected = self.file.sha256
        if expected is not None and (found := self.sha256()) != expected:
            raise TornError(
                f"its bytes changed while it was read (sha256 {expected[:12]}, then {found[:12]}):"
                " send it again, whole and under another name until it is complete"
            )

    def close(self) -> None:
        """Close the file and its copy."""
        self._closing.close()


@contextmanager
def opened(file: LandingFile) -> Iterator[Source]:
    """A landing file to be read.

    Raises
    ------
    TornError
        When it is a link, one of several hard links, no regular file, or gone.
    """
    try:
        with _folder_of(file) as folder:
            descriptor = durable.open_plain(file.path.name, folder)
    except NotPlainError as error:
        raise TornError(f"it is {error}: land a copy") from None
    except FileNotFoundError:
        raise TornError("it is gone") from None
    source = Source(file, os.fdopen(descriptor, "rb"))
    try:
        yield source
    finally:
        source.close()


def sha256(file: LandingFile) -> str:
    """The hash of a landing file's bytes, in hex."""
    with opened(file) as source:
        return source.sha256()


def expected_sha256(file: LandingFile) -> tuple[str, ...]:
    """What the sidecar `<file>.sha256` says; empty when there is no sidecar.

    It has several lines while the file is replaced: the hashes before and after.

    Raises
    ------
    TornError
        When the sidecar is a link, one of several hard links, or no regular file.
    """
    try:
        with _folder_of(file) as folder:
            descriptor = durable.open_plain(file.path.name + SIDECAR, folder)
    except (NotPlainError, OSError) as error:
        if isinstance(error, NotPlainError):
            raise TornError(f"its sidecar is {error}: send a file") from None
        return ()  # none there, or a name so long that none can be
    with os.fdopen(descriptor, "rb") as sidecar:
        text = sidecar.read(SIDECAR_BYTES).decode(errors="replace")
    words = [line.split()[0].lower() for line in text.splitlines()[:SIDECAR_LINES] if line.strip()]
    return tuple(words) or ("",)


def replace(file: LandingFile, draft: Path, drafts: Drafts) -> None:
    """Let a draft take the file's place, and its sidecar say so.

    The sidecar names both hashes first, so that it agrees with the file whenever a crash comes. A
    sidecar that is no plain file is left alone.

    Raises
    ------
    TornError
        When the file is no plain file any more.
    """
    try:
        before = expected_sha256(file)
    except TornError:
        before = ()
    after = _sha256_of(draft)
    try:
        with _folder_of(file) as folder:
            status = os.stat(file.path.name, dir_fd=folder, follow_symlinks=False)
            if reason := durable.why_not_plain(status):
                raise NotPlainError(reason)
            draft.chmod(stat.S_IMODE(status.st_mode) & 0o777)
            if before:
                _write_sidecar(file, dict.fromkeys([*before, after]), drafts, folder)
            durable.put(draft, file.path, folder=folder)
            if before:
                _write_sidecar(file, [after], drafts, folder)
    except NotPlainError as error:
        raise TornError(f"it is {error}: land a copy") from None


def is_withdrawn(landing: Path, name: str) -> bool:
    """Whether `<name>.withdrawn` lies in the landing zone, whatever it is."""
    *above, last = name.split("/")
    try:
        with durable.folder(landing, above) as folder:
            return durable.has_name(last + TOMBSTONE, folder)
    except (NotPlainError, OSError):  # no such folder, or a name so long that none can be
        return False


def remove(file: LandingFile) -> None:
    """Remove a file and its sidecar."""
    try:
        with _folder_of(file) as folder:
            for name in (file.path.name + SIDECAR, file.path.name):
                _unlink(name, folder)
    except (TornError, FileNotFoundError):
        return


def remove_named(landing: Path, name: str) -> None:
    """Remove `landing/<name>`, its sidecar, and the day's folder when nothing else is in it."""
    *above, day, last = name.split("/")
    try:
        with durable.folder(landing, above) as stream:
            with durable.folder(landing, [*above, day]) as folder:
                for one in (last + SIDECAR, last):
                    _unlink(one, folder)
                is_empty = not os.listdir(folder)
            if is_empty:
                os.rmdir(day, dir_fd=stream)
    except (NotPlainError, FileNotFoundError):
        return


def _unlink(name: str, folder: int) -> None:
    try:
        durable.unlink(name, folder)
    except OSError as error:
        if len(os.fsencode(name)) <= os.pathconf(folder, "PC_NAME_MAX"):
            raise error


def _write_sidecar(file: LandingFile, hashes: Iterable[str], drafts: Drafts, folder: int) -> None:
    draft, name = drafts.new(), os.fsencode(file.path.name)
    draft.write_bytes(b"".join(b"%b  %b\n" % (one.encode(), name) for one in hashes))
    durable.put(draft, file.path.with_name(file.path.name + SIDECAR), folder=folder)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def _folder_of(file: LandingFile) -> Iterator[int]:
    with ExitStack() as stack:
        try:
            above = file.name.split("/")[:-1]
            folder = stack.enter_context(durable.folder(file.landing, above))
        except NotPlainError as error:
            raise TornError(f"{error}: land a copy of the folder") from None
        yield folder
