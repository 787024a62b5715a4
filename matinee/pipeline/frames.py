"""What models are trained on and judged by: signals and features, each as of one instant.

Two frames a night. `judged` stops at the cut, so that what came after can judge the models; `published` runs to `as_of`. A frame is
a folder of Parquet files; the steps that follow read it and nothing else, so they can run side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import features, matrices, splits, transform, vocabulary, warehouse
from matinee.columns import MEMBER_ID, OBSERVED_AT, TITLE_ID
from matinee.errors import DataError
from matinee.pipeline.night import Night

MEMBER_FAMILIES = {
    "country": "country",
    "plan": "plan",
    "language": "language",
    "device": "main_device",
    "daypart": "main_daypart",
    "searched": "searched_genres",
}
"""Feature family -> column of `hybrid_ranker_v1`. Age and gender are not here, and not in the service."""

TITLE_FAMILIES = {
    "kind": "title_kind",
    "genre": "genres",
    "theme": "themes",
    "director": "directors",
    "actor": "actors",
    "language": "language",
    "country": "countries",
    "decade": "release_decade",
}


@dataclass(frozen=True)
class Frame:
    """Members, titles and their signals as of one instant; rows of the matrices follow the vocabularies."""

    as_of: datetime
    members: vocabulary.Vocabulary
    titles: vocabulary.Vocabulary
    member_features: pa.Table
    title_features: pa.Table
    signals: pa.Table
    half_life_days: float
