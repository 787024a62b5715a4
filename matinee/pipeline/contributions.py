"""The exact sum behind each of a member's first places: what each feature added to the score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from matinee import reasons
from matinee.columns import MEMBER_ID, RANK, TITLE_ID

if TYPE_CHECKING:
    from matinee.pipeline.scoring import Scorer

PLACES = 10

MODELLED = ("hybrid", "cold_member")
"""Slates that a score of the model has ordered."""

SCHEMA = pa.schema(
    [
        pa.field(MEMBER_ID, pa.string(), nullable=False),
        pa.field(TITLE_ID, pa.string(), nullable=False),
        pa.field("feature", pa.string(), nullable=False),
        pa.field("contribution", pa.float32(), nullable=False),
    ]
)
"""Summed over the features of a member's title, contributions are the score in the slate."""


def write(folder: Path, scorer: Scorer) -> None:
    """Leave `reasons/` in a release being put together, a row group for each part of the slates."""
    (folder / "reasons").mkdir()
    names = pa.array(scorer.features.titles.names)
    with pq.ParquetWriter(
        folder / "reasons/part-0000.parquet", SCHEMA, compression="zstd"
    ) as writer:
        for part in sorted((folder / "slates").glob("part-*.parquet")):
            shown = pq.read_table(
                part,
                columns=[MEMBER_ID, TITLE_ID],
                filters=[(RANK, "<=", PLACES), ("source", "in", MODELLED)],
            )
            members = scorer.frame.members.rows(shown[MEMBER_ID])
            titles = scorer.frame.titles.rows(shown[TITLE_ID])
            parts = reasons.contributions(
                scorer.member_vectors[members],
                titles,
                scorer.features.titles.matrix,
                scorer.model.title_embeddings,
            )
            row = pa.array(np.repeat(np.arange(len(shown)), np.diff(parts.indptr)))
            columns = [
                shown[MEMBER_ID].take(row),
                shown[TITLE_ID].take(row),
                names.take(pa.array(parts.indices)),
                pa.array(parts.data),
            ]
            writer.write_table(pa.table(columns, schema=SCHEMA))
