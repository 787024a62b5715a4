"""Popularity by country: the slate of members without a usable profile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.matrices import IDENTITY
from matinee.models import feature_families, hybrid, popularity
from matinee.models.history import History
from matinee.models.popularity_parts import popularity_in_interactions


def described(model: hybrid.HybridModel, features: feature_families.Described) -> NDArray[np.bool_]:
    """Members with a trained feature besides their identity, bool, shape (n_members,)."""
    trained: NDArray[np.bool_] = np.any(model.member_embeddings, axis=1)
    usable = trained & ~features.members.columns_of(IDENTITY)
    has_profile: NDArray[np.bool_] = features.members.matrix @ usable.astype(np.float32) > 0
    return has_profile


def popular(
    history: History, half_lives: Sequence[float], countries: Sequence[str | None]
) -> tuple[list[str | None], list[NDArray[np.float64]]]:
    """The popularity of each title in each country, once for each half-life.

    Parameters
    ----------
    half_lives : floats, in interactions
        As for `popularity_parts.popularity_in_interactions`, which lengthens those that stand on
        too little.
    countries : one per member row
        None for members whose country is unknown or does not matter.

    Returns
    -------
    names
        Countries in order, then None for "unknown".
    scores : float64 arrays, shape (n_names, n_titles)
        A row sums to 1; that of None is the popularity among all members.
    """
    names = sorted({name for name in countries if name})
    place = {name: row for row, name in enumerate(names)}
    groups = np.array([place.get(name or "", -1) for name in countries], np.intp)[history.members]
    scores = []
    for wanted in half_lives:
        _, half_life = popularity_in_interactions(history, half_life=wanted)
        weights = np.exp2(-history.age / half_life)
        shape = (len(names) + 1, history.shape[1])
        scores.append(popularity.group_popularity(groups, history.titles, weights, shape=shape))
    return [*names, None], scores
