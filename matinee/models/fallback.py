"""Popularity by country: the slate of members without a usable profile."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID
from matinee.matrices import IDENTITY, has_interactions
from matinee.models import feature_families, hybrid, popularity
from matinee.models.frame import Frame
from matinee.vocabulary import Vocabulary


def described(model: hybrid.HybridModel, features: feature_families.Described) -> NDArray[np.bool_]:
    """Members with a trained feature besides their identity, bool, shape (n_members,)."""
    trained: NDArray[np.bool_] = np.any(model.member_embeddings, axis=1)
    usable = trained & ~features.members.columns_of(IDENTITY)
    has_profile: NDArray[np.bool_] = features.members.matrix @ usable.astype(np.float32) > 0
    return has_profile


def cold_members(
    model: hybrid.HybridModel,
    features: feature_families.Described,
    interactions: sp.coo_array[np.float32],
) -> NDArray[np.intp]:
    """Rows of members without interactions and without a profile: they get the popularity list."""
    return np.flatnonzero(~has_interactions(interactions) & ~described(model, features))


def popular(
    frame: Frame, members: pa.ChunkedArray, of_member: pa.ChunkedArray
) -> tuple[list[str | None], NDArray[np.float64]]:
    """Countries, with None for "unknown" last, and the popularity of each title in each of them.

    `members` are ascending ids, `of_member` their countries. Scores are float64, shape
    (n_countries + 1, n_titles).
    """
    countries = sorted({name for name in of_member.to_pylist() if name})
    place = {name: row for row, name in enumerate(countries)}
    of_row = np.array([*(place.get(name, -1) for name in of_member.to_pylist()), -1])
    # Members with a closed account count toward popularity, but have no country: row -1.
    groups = of_row[Vocabulary.from_ids(members).rows(frame.signals[MEMBER_ID])].astype(np.intp)
    scores = popularity.group_popularity(
        groups,
        frame.rows(frame.signals)[1],
        frame.weights,
        frame.ages,
        half_life_days=frame.popular_half_life_days,
        shape=(len(countries) + 1, len(frame.titles)),
    )
    return [*countries, None], scores
