"""Popularity whose half-life is counted in interactions, not in days.

A service's rate of interactions changes by a factor of ten between two months of the same log, and
a half-life in days then means another thing. Counted in interactions it carries over.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.models.history import History

MINIMUM_EVENTS = 200.0
"""Effective number of interactions that a popularity stands on."""

MINIMUM_MEMBERS = 20.0
"""Effective number of members behind them: one who rates a hundred titles at once is one."""


def popularity_in_interactions(
    history: History, *, half_life: float
) -> tuple[NDArray[np.float64], float]:
    r"""Decayed counts of each title, and the half-life they were made with.

    The weight of an interaction halves with every `half_life` later ones. A half-life that stands
    on too few interactions or members is doubled until it stands; past the length of the history it
    becomes infinite, which is plain counts.

    Returns
    -------
    counts : float64, shape (n_titles,)
    half_life : float

    Notes
    -----
    Effective numbers are :math:`(\sum w)^2 / \sum w^2`, over interactions and over the sums of
    members (Kish, "Survey Sampling", 1965). So neither a quiet day nor one busy member can lift a
    title: 40 interactions by 3 members never are a trend.
    """
    n_titles = history.shape[1]
    while half_life < len(history.members):
        weights = np.exp2(-history.age / half_life)
        of_members = np.bincount(history.members, weights).astype(np.float64)
        if (
            _effective(weights) >= MINIMUM_EVENTS
            and _effective(of_members[of_members > 0]) >= MINIMUM_MEMBERS
        ):
            counts = np.bincount(history.titles, weights, minlength=n_titles)
            return counts.astype(np.float64), half_life
        half_life *= 2
    return np.bincount(history.titles, minlength=n_titles).astype(np.float64), float("inf")


def _effective(weights: NDArray[np.float64]) -> float:
    return float(weights.sum() ** 2 / (weights**2).sum())
