"""A published release, opened for reading."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.errors import DataError, IntegrityError
from matinee.provenance import SCHEMA_VERSION, parse_json
from matinee.releases import files

_READ: Mapping[str, Any] = {"memory_map": True, "page_checksum_verification": True}
_CHANGED = "the release was changed; `matinee releases verify` it"

MANIFEST = "manifest.json"
SIGNATURE = "signature.json"


SLATES, SESSION = "slates", "session"
"""The folders of lists: for the next visit, and for what follows at once."""


@dataclass(frozen=True)
class _Part:
    """One Parquet file of a sorted set, with the range of the key in each row group."""

    path: Path
    metadata: Any
    ranges: tuple[tuple[str, str] | None, ...]

    def groups_with(self, key: str) -> list[int]:
        return [
            number
            for number, ends in enumerate(self.ranges)
            if ends is None or ends[0] <= key <= ends[1]
        ]


@dataclass(frozen=True)
class Release:
    """One immutable version of what a night publishes.

    Opening does not verify: `Store.verify` does, and `Store.promote` does it first.
    """

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The parsed `manifest.json`."""
        try:
            text = (self.path / MANIFEST).read_bytes()
        except OSError as error:
            raise _unreadable(self.id, error) from error
        return parse_manifest(self.id, text)

    def slate(self, member_id: str, *, folder: str = SLATES) -> pa.Table:
        """One member's list by rank; no rows for a member without one.

        Parameters
        ----------
        folder : str
            `SLATES`, or `SESSION` for what the member wants right after the last title.

        Raises
        ------
        DataError
            If the release is so old that it has no session lists.

        Notes
        -----
        Reads only the row groups whose id range contains the member, usually one.
        """
        return self._rows_of(member_id, folder=folder, key=MEMBER_ID)

    def slates(
        self, columns: Sequence[str] | None = None, *, folder: str = SLATES
    ) -> Iterator[pa.Table]:
        """All lists, one file at a time, by member and rank. No member is in two files."""
        for part in self._parts(folder, MEMBER_ID):
            with _intact(part.path):
                table = pq.read_table(part.path, columns=columns, **_READ)
            yield table

    def similar(self, title_id: str) -> pa.Table:
        """The nearest titles of one title by rank; no rows for a title without any."""
        return self._rows_of(title_id, folder="similar", key=TITLE_ID)

    def titles(self) -> pa.Table:
        """The catalogue of the release: title_id, name, released_on, genres, directors, ..."""
        return self.table("vocabulary/titles.parquet")

    def evaluation(self) -> pa.Table:
        """Evaluation metrics: model, cohort, metric, mean, low, high, n."""
        return self.table("evaluation/metrics.parquet")

    def table(self, name: str) -> pa.Table:
        """Any Parquet file of the release, by its name in the manifest."""
        with _intact(self.path / name):
            data = self._bytes(name)
            self._check(name, data)
            table: pa.Table = pq.read_table(pa.BufferReader(data))
        return table

    def json(self, name: str) -> Any:
        """Any JSON file of the release, by its name in the manifest."""
        with _intact(self.path / name):
            data = self._bytes(name)
        try:
            document = parse_json(data.to_pybytes())
        except ValueError as error:
            raise IntegrityError(f"{self.path / name} is not JSON ({error}): {_CHANGED}") from None
        self._check(name, data)
        return document

    def _bytes(self, name: str) -> pa.Buffer:
        """The bytes of a file, mapped."""
        # Only files in the manifest are opened, so no name leads out of the folder.
        if name not in {record["file"] for record in self.manifest["files"]}:
            raise DataError(f"release {self.id} has no {name}: see `files` in its manifest")
        with pa.memory_map(str(self.path / name)) as file:
            return file.read_buffer()

    def _check(self, name: str, data: pa.Buffer) -> None:
        (sha256,) = {one["sha256"] for one in self.manifest["files"] if one["file"] == name}
        if hashlib.sha256(data).hexdigest() != sha256:
            raise IntegrityError(f"{self.path / name} is not as it was signed: {_CHANGED}")

    def _rows_of(self, value: str, *, folder: str, key: str) -> pa.Table:
        parts = self._parts(folder, key)
        tables = [table for part in parts for table in _read(part, key, value)]
        if tables:
            return pa.concat_tables(tables)
        with _intact(parts[0].path):
            return pq.read_schema(parts[0].path).empty_table()

    def _parts(self, folder: str, key: str) -> list[_Part]:
        if folder not in self._opened:
            names = sorted(
                record["file"]
                for record in self.manifest["files"]
                if record["file"].startswith(f"{folder}/part-")
            )
            if not names:
                raise DataError(f"release {self.id} has no {folder}/: see `files` in its manifest")
            self._opened[folder] = [_part(self.path / name, key) for name in names]
        return self._opened[folder]

    @cached_property
    def _opened(self) -> dict[str, list[_Part]]:
        """Cache of Parquet footers: a release never changes."""
        return {}


def parse_manifest(release_id: str, text: bytes) -> Mapping[str, Any]:
    """The manifest of a release from its bytes.

    Raises
    ------
    IntegrityError
        If the text is not a manifest.
    DataError
        If a newer matinee wrote it.
    """
    try:
        manifest: dict[str, Any] = parse_json(text)
        version = int(manifest["schema_version"])
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(release_id, error) from error
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{release_id} has manifest version {version} and this matinee reads up to "
            f"{SCHEMA_VERSION}: upgrade it"
        )
    return manifest


def _unreadable(release_id: str, error: Exception) -> IntegrityError:
    return IntegrityError(
        f"{release_id}/{MANIFEST} cannot be read ({error}): the release is damaged, remove it"
    )


@contextmanager
def _intact(path: Path) -> Iterator[None]:
    """Turn what a reader makes of changed bytes into the error that names the file.

    Raises
    ------
    IntegrityError
        If the file cannot be parsed, or is gone.
    StorageError
        If the disk cannot be read.
    """
    with files.storage_errors(path):
        try:
            yield
        except FileNotFoundError:
            raise IntegrityError(f"{path} is gone: {_CHANGED}") from None
        except (pa.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            text = " ".join(str(error).split())
            raise IntegrityError(f"{path} cannot be read ({text}): {_CHANGED}") from None


def _part(path: Path, key: str) -> _Part:
    with _intact(path):
        metadata = pq.read_metadata(path)
        index = metadata.schema.names.index(key)
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        statistics = [group.column(index).statistics for group in groups]
        ranges = [(s.min, s.max) if s and s.has_min_max else None for s in statistics]
    return _Part(path, metadata, tuple(ranges))


def _read(part: _Part, key: str, value: str) -> Iterator[pa.Table]:
    groups = part.groups_with(value)
    if not groups:
        return
    with (
        _intact(part.path),
        pq.ParquetFile(part.path, metadata=part.metadata, **_READ) as file,
    ):
        rows = file.read_row_groups(groups, use_threads=False)
        rows = rows.filter(pc.equal(rows[key], value))
    if rows.num_rows:
        yield rows
