"""Popularity within groups of members: the lists of members without interactions, and shelves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PRIOR_INTERACTIONS = 100.0
"""The prior weight of overall popularity in a group's, in interactions of mean weight. A country
with ten plays gets the overall list, one with ten thousand its own."""


def group_popularity(
    groups: NDArray[np.intp],
    titles: NDArray[np.intp],
    weights: NDArray[np.float64],
    *,
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Popularity within each group of members, float64, shape (n_groups, n_titles).

    Each row has the share of the group's weight that goes to each title, shrunk toward the share
    among all members as if the group had `PRIOR_INTERACTIONS` more of mean weight:
    `(weight(g, t) + m p(t)) / (weight(g) + m)`. A row sums to 1.

    Parameters
    ----------
    groups : intp, shape (n,)
        The group (a country, a plan) of the member of each interaction; -1 for none, which counts
        toward overall popularity only.
    weights : float64, shape (n,)
        At least 0: what is left of each interaction at its age.

    References
    ----------
    Zhai and Lafferty, "A study of smoothing methods for language models", TOIS 2004 (the
    Dirichlet prior).
    """
    n_groups, n_titles = shape
    of_all = np.bincount(titles, weights, minlength=n_titles)
    known = groups >= 0
    own = np.bincount(
        groups[known] * n_titles + titles[known], weights[known], minlength=n_groups * n_titles
    ).reshape(shape)
    prior = PRIOR_INTERACTIONS * (weights.mean() if weights.any() else 1.0)
    overall = of_all / (of_all.sum() or 1.0)
    mixed: NDArray[np.float64] = (own + prior * overall) / (own.sum(axis=1, keepdims=True) + prior)
    return mixed
