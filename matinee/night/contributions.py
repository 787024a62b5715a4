"""The exact sum behind a score: what each feature of a title added, in every release.

`reasons/part-*.parquet` holds it for each member's first places; with the arrays beside it,
`pipeline.explain` gives it for any member and title.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, PLACES, RANK, TITLE_ID
from matinee.night.scorer import Scorer
from matinee.slates import reason_text, reasons
from matinee.slates.sources import MODELLED

SCHEMA = pa.schema(
    [
        pa.field(MEMBER_ID, pa.string(), nullable=False),
        pa.field(TITLE_ID, pa.string(), nullable=False),
        pa.field("feature", pa.string(), nullable=False),
        pa.field("contribution", pa.float32(), nullable=False),
    ]
)
"""Summed over the features of a member's title, contributions are the score in the slate."""

MEMBER_MATRIX = "member_matrix"

TITLE_MATRIX = "title_matrix"

ANCHORS = "anchors"

EVERYBODY = "everybody"

_PAIRS = 16_384

_PARTS = ("data", "indices", "indptr")


def write(folder: Path, scorer: Scorer) -> None:
    """Leave `reasons/` in a release being put together, in small row groups."""
    (folder / "reasons").mkdir()
    names = pa.array([*scorer.features.titles.names, reason_text.SHARED])
    with pq.ParquetWriter(
        folder / "reasons/part-0000.parquet", SCHEMA, compression="zstd"
    ) as writer:
        for part in sorted((folder / "slates").glob("part-*.parquet")):
            shown = pq.read_table(
                part,
                columns=[MEMBER_ID, TITLE_ID],
                filters=[(RANK, "<=", PLACES), ("source", "in", [one.label for one in MODELLED])],
            )
            for start in range(0, len(shown), _PAIRS):
                writer.write_table(_table(shown.slice(start, _PAIRS), scorer, names))


def _table(shown: pa.Table, scorer: Scorer, names: pa.Array) -> pa.Table:
    members = scorer.frame.members.rows(shown[MEMBER_ID])
    titles = scorer.frame.titles.rows(shown[TITLE_ID])
    parts = reasons.contributions(
        scorer.member_vectors[members],
        titles,
        scorer.features.titles.matrix,
        scorer.model.title_embeddings,
        scorer.everybody,
    )
    row = pa.array(np.repeat(np.arange(len(shown)), np.diff(parts.indptr)))
    columns = [
        shown[MEMBER_ID].take(row),
        shown[TITLE_ID].take(row),
        names.take(pa.array(parts.indices)),
        pa.array(parts.data),
    ]
    return pa.table(columns, schema=SCHEMA)


def write_arrays(folder: Path, scorer: Scorer) -> None:
    """Leave in `folder` what scores and reasons of any pair are computed from."""
    matrices = {MEMBER_MATRIX: scorer.features.members, TITLE_MATRIX: scorer.features.titles}
    for name, features in matrices.items():
        for part in _PARTS:
            array = getattr(features.matrix, part)
            _save(folder / f"{name}_{part}.npy", array)
    _save(folder / f"{ANCHORS}.npy", scorer.anchors)
    _save(folder / f"{EVERYBODY}.npy", scorer.everybody)


def read_matrix(folder: Path, name: str, *, shape: tuple[int, int]) -> sp.csr_array[np.float32]:
    """A feature matrix that `write_arrays` left, mapped into memory."""
    data, indices, indptr = (read_array(folder, f"{name}_{part}") for part in _PARTS)
    return sp.csr_array((data, indices, indptr), shape=shape)


def read_array(folder: Path, name: str) -> NDArray[Any]:
    """One array of the model."""
    array: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return array


def _save(path: Path, array: NDArray[Any]) -> None:
    """Whole numbers in 32 bits: the same on every machine, and half the size."""
    if np.issubdtype(array.dtype, np.integer):
        array = array.astype(np.int32)
    np.save(path, array, allow_pickle=False)
