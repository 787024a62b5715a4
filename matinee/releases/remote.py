"""A folder at a URL, by fsspec: what a copy of the store needs of it, and nothing more.

Only here is it known that there are object stores. Whatever goes wrong there, in whichever library,
is one StorageError that names the URL without what is secret in it.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.errors import ConfigError, MatineeError, StorageError

EXCLUSIVE = frozenset({"file", "local", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
"""Protocols whose `create` lets one writer of several win, whatever happens in between."""

BLOCK = 1 << 20


@dataclass(frozen=True)
class Remote:
    """What can be done at a URL. Paths below it are `/`-separated and checked by the caller."""

    name: str
    """The URL as it may be printed."""
    is_exclusive: bool
    """Whether `create` is one act, or a look and then a write."""
    _fs: Any = field(repr=False)
    _root: str = field(repr=False)

    @classmethod
    def at(cls, url: str) -> "Remote":
        """Open a URL; nothing but its own host is asked for anything.

        Raises
        ------
        ConfigError
            If it is not one URL, or the package for its kind of store is not installed.
        """
        from fsspec.core import split_protocol, url_to_fs

        name = masked(url)
        if "://" not in url or "::" in url:
            raise ConfigError(
                f"{name!r} is not the URL of a store: give one like s3://bucket/prefix or "
                f"file:///mnt/releases"
            )
        protocol, _ = split_protocol(url)
        with _reached(name):
            try:
                fs, root = url_to_fs(url)
            except (ImportError, ValueError) as error:
                raise ConfigError(f"{name} cannot be opened: {masked(str(error))}") from None
        return cls(name.rstrip("/"), protocol in EXCLUSIVE, fs, root.rstrip("/"))

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder; none if it is not there."""
        with _reached(self.name):
            self._fs.invalidate_cache()
            found = [path for path, is_folder in self._ls(self._path(folder)) if is_folder]
        return sorted(path.rpartition("/")[2] for path in found)

    def names(self, folder: str) -> list[str]:
        """Every file below a folder, relative to it, sorted; none if it is not there."""
        top = self._path(folder)
        with _reached(self.name):
            self._fs.invalidate_cache()
            return sorted(path[len(top) + 1 :] for path in self._walk(top))

    def read(self, name: str) -> bytes:
        """All bytes of a file."""
        with _reached(self.name):
            data: bytes = self._fs.cat_file(self._path(name))
        return data

    def measure(self, name: str) -> tuple[int, str]:
        """How many bytes a file has, and their sha256; holds a block of them at a time."""
        count, digest = 0, hashlib.sha256()
        with _reached(self.name), self._fs.open(self._path(name), "rb") as file:
            while block := file.read(BLOCK):
                count += len(block)
                digest.update(block)
        return count, digest.hexdigest()

    def fetch(self, name: str, path: Path) -> None:
        """Bring a file here."""
        with _reached(self.name):
            self._fs.get_file(self._path(name), str(path))

    def put(self, path: Path, name: str) -> None:
        """Bring a file there, in place of what was."""
        with _reached(self.name):
            self._make_room(name)
            self._fs.put_file(str(path), self._path(name))

    def write(self, name: str, data: bytes) -> None:
        """All bytes of a file, in place of what was; not at once on every kind of store."""
        with _reached(self.name):
            self._make_room(name)
            self._fs.pipe_file(self._path(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file if there is none, and say whether it was this call that wrote it."""
        path = self._path(name)
        with _reached(self.name):
            self._make_room(name)
            try:
                if "file" in self._protocols():
                    return durable.create_once(Path(path), data)
                self._fs.pipe_file(path, data, mode="create")
            except FileExistsError:
                return False
        return True

    def remove(self, folder: str, first: str) -> None:
        """Take a folder away, the file `first` before all others."""
        with _reached(self.name):
            path = f"{self._path(folder)}/{first}"
            with suppress(FileNotFoundError):
                self._fs.rm_file(path)
            self._fs.invalidate_cache()
            with suppress(FileNotFoundError):  # there was nothing else
                self._fs.rm(self._path(folder), recursive=True)

    # ------------------------------------------------------------------ private

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _protocols(self) -> tuple[str, ...]:
        protocol = self._fs.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    def _make_room(self, name: str) -> None:
        # Object stores have no folders, and asked for one they would make the bucket.
        if not self._fs.async_impl:
            self._fs.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    def _walk(self, folder: str) -> Iterator[str]:
        for path, is_folder in self._ls(folder):
            if is_folder:
                yield from self._walk(path)
            else:
                yield path

    def _ls(self, folder: str) -> list[tuple[str, bool]]:
        # `fs.find` and `fs.walk` take a store that is out of reach for an empty one.
        try:
            entries = self._fs.ls(folder, detail=True)
        except FileNotFoundError:
            return []
        found = [(entry["name"].rstrip("/"), entry["type"] == "directory") for entry in entries]
        return [(path, is_folder) for path, is_folder in found if path != folder]


def masked(text: str) -> str:
    """A text without the names, passwords and tokens in its URLs."""
    text = re.sub(r"(://[^\s?'\"]*)\?[^\s'\"]*", r"\1?***", text)
    return re.sub(r"://[^\s'\"]*@", "://***@", text)


@contextmanager
def _reached(name: str) -> Iterator[None]:
    try:
        yield
    except MatineeError:
        raise
    except Exception as error:  # each library of a store has errors of its own, many no OSError
        told = masked(" ".join(str(error).split())) or type(error).__name__
        raise StorageError(
            f"{name} could not be reached, read or written ({told}): live is unchanged; check the "
            f"URL, your rights there and the network, then run again"
        ) from error
