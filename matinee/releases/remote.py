"""A folder at a URL, by fsspec: the operations that a mirror of the store needs.

Only this module knows object stores. Any error of any of their libraries becomes a StorageError
with the URL, without the secrets in it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.errors import ConfigError, MatineeError, StorageError
from matinee.releases import files
from matinee.releases.verify import too_long

EXCLUSIVE_CREATE = frozenset({"file", "local", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
"""Protocols with an atomic `create`: exactly one of several concurrent writers succeeds."""


@dataclass(frozen=True)
class Remote:
    """A folder at a URL. Paths in it are `/`-separated and checked by the caller."""

    name: str
    """The URL without secrets."""
    has_exclusive_create: bool
    """Whether `create` is atomic, or an existence check followed by a write."""
    _fs: Any = field(repr=False)
    _root: str = field(repr=False)

    @classmethod
    def open(cls, url: str) -> "Remote":
        """Open a URL; no other host is contacted.

        Raises
        ------
        ConfigError
            If it is not a URL, or the package for its protocol is not installed.
        """
        from fsspec.core import split_protocol, url_to_fs

        name = mask_secrets(url)
        if "://" not in url or "::" in url:
            raise ConfigError(
                f"{name!r} is not the URL of a store: give one like s3://bucket/prefix or "
                f"file:///mnt/releases"
            )
        protocol, _ = split_protocol(url)
        with _storage_errors(name):
            try:
                fs, root = url_to_fs(url)
            except (ImportError, ValueError) as error:
                raise ConfigError(f"{name} cannot be opened: {mask_secrets(str(error))}") from None
        return cls(name.rstrip("/"), protocol in EXCLUSIVE_CREATE, fs, root.rstrip("/"))

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder; empty if it does not exist."""
        with _storage_errors(self.name):
            self._fs.invalidate_cache()
            paths = [path for path, is_folder in self._ls(self._path(folder)) if is_folder]
        return sorted(path.rpartition("/")[2] for path in paths)

    def names(self, folder: str) -> list[str]:
        """Every file under a folder, relative to it, sorted; empty if it does not exist."""
        top = self._path(folder)
        with _storage_errors(self.name):
            self._fs.invalidate_cache()
            return sorted(path[len(top) + 1 :] for path in self._walk(top))

    def read(self, name: str, most_bytes: int) -> bytes:
        """All bytes of a file; raises IntegrityError once there are more than `most_bytes`."""
        with _storage_errors(self.name), self._fs.open(self._path(name), "rb") as file:
            data: bytes = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise too_long(f"{self.name}/{name}", most_bytes)
        return data

    def measure(self, name: str, most_bytes: int) -> tuple[int, str]:
        """The size in bytes and the sha256 of a file, of which no more is read than that."""
        with _storage_errors(self.name), self._fs.open(self._path(name), "rb") as file:
            return files.measure(file, most_bytes)

    def fetch(self, name: str, path: Path, most_bytes: int) -> None:
        """Download a file; raises IntegrityError once there are more bytes than `most_bytes`."""
        with (
            _storage_errors(self.name),
            self._fs.open(self._path(name), "rb") as source,
            path.open("wb") as target,
        ):
            left = most_bytes
            while block := source.read(min(files.BLOCK, left + 1)):
                if len(block) > left:
                    raise too_long(f"{self.name}/{name}", most_bytes)
                target.write(block)
                left -= len(block)

    def put(self, path: Path, name: str) -> None:
        """Upload a file, replacing an existing one."""
        with _storage_errors(self.name):
            self._make_parent(name)
            self._fs.put_file(str(path), self._path(name))

    def write(self, name: str, data: bytes) -> None:
        """Write a file, replacing an existing one; not atomic on every kind of store."""
        with _storage_errors(self.name):
            self._make_parent(name)
            self._fs.pipe_file(self._path(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file if it does not exist; return whether this call wrote it."""
        path = self._path(name)
        with _storage_errors(self.name):
            self._make_parent(name)
            try:
                if "file" in self._protocols():
                    return durable.create_once(Path(path), data)
                self._fs.pipe_file(path, data, mode="create")
            except FileExistsError:
                return False
        return True

    def remove(self, folder: str, first: str) -> None:
        """Remove a folder, the file `first` before all others."""
        with _storage_errors(self.name):
            path = f"{self._path(folder)}/{first}"
            with suppress(FileNotFoundError):
                self._fs.rm_file(path)
            self._fs.invalidate_cache()
            with suppress(FileNotFoundError):  # there were no other files
                self._fs.rm(self._path(folder), recursive=True)

    # ------------------------------------------------------------------ private

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _protocols(self) -> tuple[str, ...]:
        protocol = self._fs.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    def _make_parent(self, name: str) -> None:
        # Object stores have no folders; makedirs would create the bucket.
        if not self._fs.async_impl:
            self._fs.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    def _walk(self, folder: str) -> Iterator[str]:
        for path, is_folder in self._ls(folder):
            if is_folder:
                yield from self._walk(path)
            else:
                yield path

    def _ls(self, folder: str) -> list[tuple[str, bool]]:
        # `fs.find` and `fs.walk` return nothing when the store is unreachable.
        try:
            entries = self._fs.ls(folder, detail=True)
        except FileNotFoundError:
            return []
        items = [(entry["name"].rstrip("/"), entry["type"] == "directory") for entry in entries]
        return [(path, is_folder) for path, is_folder in items if path != folder]


def mask_secrets(text: str) -> str:
    """A text without the user names, passwords and tokens of its URLs."""
    text = re.sub(r"(://[^\s?'\"]*)\?[^\s'\"]*", r"\1?***", text)
    return re.sub(r"://[^\s'\"]*@", "://***@", text)


@contextmanager
def _storage_errors(name: str) -> Iterator[None]:
    try:
        yield
    except MatineeError:
        raise
    except Exception as error:  # store libraries have their own errors, many not an OSError
        reason = mask_secrets(" ".join(str(error).split())) or type(error).__name__
        raise StorageError(
            f"{name} could not be reached, read or written ({reason}): live is unchanged; check "
            f"the URL, your permissions and the network, then run again"
        ) from error
