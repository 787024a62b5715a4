"""`serving/` of a release: arrays and texts that answer a request without parsing anything.

Rows of members follow `members`, in the order of their ids' bytes. Numbers of titles follow
`vocabulary/titles`. -1 fills a list that is short.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID
from matinee.provenance import parse_json
from matinee.releases.files import PARQUET

FOLDER = "serving"

MEMBERS = "members"
"""Parquet: the ids of all members with a slate."""

KEYS = ("key", "key_row")
"""Hashes of the ids, ascending, and the row that each belongs to."""

SENTENCES = "sentences"
"""Texts: reasons as JSON strings."""

BY_MEMBER = (
    "group",
    "source",
    "utc_offset",
    "acted_at",
    "slate",
    "slate_reason",
    "session",
    "session_reason",
    "pool",
    "pool_score",
    "daypart_taste",
    "vector",
)
"""Arrays with a row for each member."""

LISTS_BY_MEMBER: Mapping[str, tuple[str, ...]] = {
    "history": ("title", "time", "flags"),
    "unfinished": ("title", "progress", "position", "time", "episode"),
}
"""Lists of any length: `<name>_ends` says where each member's list ends in its arrays."""

BY_TITLE = ("similar", "title_vector", "cold")
"""Arrays of titles; `cold` has the numbers of those without interactions."""

BY_GROUP = tuple(
    f"group_{name}"
    for name in (
        *("source", "slate", "slate_reason", "session", "session_reason", "pool", "pool_score"),
        *("utc_offset", "daypart_taste"),
    )
)
"""Lists that use no data of the member: a row for each country and maturity limit."""

TITLES, WINDOWS, CONTENTS, POLICY = "titles", "windows", "contents", "policy"
"""JSON: what is said of each title, where and when it may be shown, the names of numbers, and the
rules of the operator."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Texts:
    """Bytes of each text, by its number."""

    data: mmap.mmap | bytes
    ends: NDArray[np.int64]
    """int64, shape (n_texts,): where each text ends."""

    @classmethod
    def open(cls, folder: Path, name: str) -> Texts:
        """Open what `write` left."""
        mapped = np.load(folder / f"{name}_ends.npy", mmap_mode="r", allow_pickle=False)
        ends = np.asarray(mapped)  # `np.memmap` picks single values slowly
        with (folder / f"{name}.bin").open("rb") as file:
            size = file.seek(0, 2)
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        return cls(data, ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> bytes:
        begin = int(self.ends[number - 1]) if number else 0
        return self.data[begin : int(self.ends[number])]

    def take(self, numbers: NDArray[np.integer]) -> list[bytes]:
        """Several texts at once; an empty one for a negative number."""
        data = self.data
        ends = self.ends[numbers].tolist()
        begins = np.where(numbers > 0, self.ends[numbers - 1], 0).tolist()
        begins = [
            begin if number >= 0 else end
            for number, begin, end in zip(numbers.tolist(), begins, ends, strict=True)
        ]
        return [data[begin:end] for begin, end in zip(begins, ends, strict=True)]


@dataclass(frozen=True)
class ServingFiles:
    """The folder, opened."""

    sentences: Texts
    arrays: Mapping[str, NDArray[Any]]
    titles: list[Row]
    windows: list[Row]
    contents: Mapping[str, Any]
    policy: list[Row]

    @classmethod
    def open(cls, release: Path) -> ServingFiles:
        """Open the `serving/` of a release; the caller has verified it.

        Raises
        ------
        OSError
            If a file is missing.
        ValueError
            If one is damaged.
        """
        folder = release / FOLDER
        lists = [
            f"{name}_{part}" for name, parts in LISTS_BY_MEMBER.items() for part in ("ends", *parts)
        ]
        names = (*KEYS, *BY_MEMBER, *lists, *BY_TITLE, *BY_GROUP)
        return cls(
            sentences=Texts.open(folder, SENTENCES),
            arrays={name: _mapped(folder, name) for name in names},
            titles=parse_json((folder / f"{TITLES}.json").read_bytes()),
            windows=parse_json((folder / f"{WINDOWS}.json").read_bytes()),
            contents=parse_json((folder / f"{CONTENTS}.json").read_bytes()),
            policy=parse_json((folder / f"{POLICY}.json").read_bytes()),
        )

    def row_of(self, member_id: str) -> int:
        """A member's row, or -1."""
        keys = self.arrays["key"]
        key = hashed(member_id)
        place = int(np.searchsorted(keys, key))
        return (
            int(self.arrays["key_row"][place]) if place < len(keys) and keys[place] == key else -1
        )

    def of_member(self, name: str, row: int) -> dict[str, NDArray[Any]]:
        """One member's part of a list, by array."""
        ends = self.arrays[f"{name}_ends"]
        begin = int(ends[row - 1]) if row else 0
        part = slice(begin, int(ends[row]))
        return {one: self.arrays[f"{name}_{one}"][part] for one in LISTS_BY_MEMBER[name]}


def write_texts(folder: Path, name: str, texts: Iterable[bytes]) -> None:
    """Leave `<name>.bin` and `<name>_ends.npy` in a folder."""
    ends, end = [], 0
    with (folder / f"{name}.bin").open("wb") as file:
        for text in texts:
            file.write(text)
            end += len(text)
            ends.append(end)
    np.save(folder / f"{name}_ends.npy", np.array(ends, np.int64), allow_pickle=False)


def hashed(member_id: str) -> np.uint64:
    """64 bits of a hash of an id."""
    digest = hashlib.blake2b(member_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def write_members(folder: Path, ids: pa.Array) -> None:
    """Leave the ids of all members, in their order, and the hashes that find them."""
    pq.write_table(pa.table({MEMBER_ID: ids}), folder / f"{MEMBERS}.parquet", **PARQUET)
    keys = np.array([hashed(one) for one in ids.to_pylist()], np.uint64)
    order = np.argsort(keys, kind="stable").astype(np.int32)
    np.save(folder / "key.npy", keys[order], allow_pickle=False)
    np.save(folder / "key_row.npy", order, allow_pickle=False)


def write_without(source: Path, target: Path, gone: NDArray[np.bool_]) -> None:
    """Copy one file of `serving/` without some members.

    Parameters
    ----------
    gone : bool, shape (n_members,)
        The members that are left out.
    """
    name = source.stem
    folder = source.parent
    if name in (MEMBERS, *KEYS):
        ids = pq.read_table(folder / f"{MEMBERS}.parquet")[MEMBER_ID].filter(pa.array(~gone))
        write_members(target.parent, ids.combine_chunks())
        return
    array = _mapped(folder, name) if source.suffix == ".npy" else None
    of_list = name.partition("_")[0]
    if array is not None and name in BY_MEMBER:
        np.save(target, array[~gone], allow_pickle=False)
    elif array is not None and of_list in LISTS_BY_MEMBER:
        counts = np.diff(_mapped(folder, f"{of_list}_ends"), prepend=0)
        is_ends = name == f"{of_list}_ends"
        kept_rows = np.cumsum(counts[~gone]) if is_ends else array[np.repeat(~gone, counts)]
        np.save(target, kept_rows, allow_pickle=False)
    else:
        target.write_bytes(source.read_bytes())


def _mapped(folder: Path, name: str) -> NDArray[Any]:
    mapped: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return np.asarray(mapped)  # `np.memmap` picks single values slowly
