"""Many short texts in one file that is mapped into memory and never parsed."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


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


def write(folder: Path, name: str, texts: Iterable[bytes]) -> None:
    """Leave `<name>.bin` and `<name>_ends.npy` in a folder."""
    ends, end = [], 0
    with (folder / f"{name}.bin").open("wb") as file:
        for text in texts:
            file.write(text)
            end += len(text)
            ends.append(end)
    np.save(folder / f"{name}_ends.npy", np.array(ends, np.int64), allow_pickle=False)
