"""Maps ids to matrix rows and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matinee.errors import DataError


@dataclass(frozen=True)
class Vocabulary:
    """Distinct ids in ascending order; an id's position is its row in every matrix.

    The order is that of the ids' UTF-8 bytes, as in DuckDB and Parquet, so the same ids give the
    same rows in whatever order they come.
    """

    ids: pa.StringArray
    """string, shape (n,), ascending, no nulls, no repeats."""

    @classmethod
    def from_ids(cls, ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> Vocabulary:
        """A vocabulary of the distinct ids in `ids`, which may repeat and come in any order."""
        strings = _strings(ids)
        if strings.null_count:
            raise DataError(f"{strings.null_count} of {len(strings)} ids are null: drop them first")
        distinct = pc.unique(strings)
        return cls(distinct.take(pc.sort_indices(distinct)))

    def rows(self, ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> NDArray[np.intp]:
        """The row of each id, -1 where the id is unknown or null."""
        indices = pc.index_in(_strings(ids), value_set=self.ids, skip_nulls=True)
        rows: NDArray[np.intp] = pc.fill_null(indices, -1).to_numpy(zero_copy_only=False)
        return rows.astype(np.intp)

    def take(self, rows: NDArray[np.integer]) -> pa.StringArray:
        """The id of each row; null for -1, the padding of slates."""
        rows = np.asarray(rows)
        return self.ids.take(pa.array(np.maximum(rows, 0), mask=rows < 0))

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, member_or_title: str) -> bool:
        return bool(self.rows([member_or_title])[0] >= 0)


def _strings(ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.StringArray:
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    return ids.cast(pa.string()) if isinstance(ids, pa.Array) else pa.array(ids, pa.string())
