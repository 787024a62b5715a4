"""Recent popularity: the baseline of every model, and the slate of cold members."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.matrices import recency

PRIOR_WEIGHT = 100.0
"""The prior weight of overall popularity in a group's, in signals of mean weight. A country with
ten plays gets the overall list, one with ten thousand its own."""

_MICRO = 1e6
"""Scores are summed as whole millionths: such sums are exact, whatever order they come in."""


def popularity(
    titles: NDArray[np.intp],
    signal: NDArray[np.floating],
    age_days: NDArray[np.floating],
    *,
    half_life_days: float,
    title_count: int,
) -> NDArray[np.float64]:
    """The recent popularity of each title, float64, shape (title_count,).

    The sum of positive signals, halved with every half-life of age, without a floor. Negative
    signals do not count: disliked plays are plays too.
    """
    weight = _weights(signal, age_days, half_life_days)
    return np.bincount(titles, weights=weight, minlength=title_count) / _MICRO


def group_popularity(
    groups: NDArray[np.intp],
    titles: NDArray[np.intp],
    signal: NDArray[np.floating],
    age_days: NDArray[np.floating],
    *,
    half_life_days: float,
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Popularity within each group of members, float64, shape (n_groups, n_titles).

    Each row has the share of the group's signal that goes to each title, shrunk toward the share
    among all members as if the group had `PRIOR_WEIGHT` more signals of mean weight:
    `(signal(g, t) + m p(t)) / (signal(g) + m)`. A row sums to 1.

    Parameters
    ----------
    groups : intp, shape (n,)
        The group (a country, a plan) of the member of each signal; -1 for none, which counts
        toward overall popularity only.

    References
    ----------
    Zhai and Lafferty, "A study of smoothing methods for language models", TOIS 2004 (the
    Dirichlet prior).
    """
    n_groups, n_titles = shape
    weight = _weights(signal, age_days, half_life_days)
    of_all = np.bincount(titles, weights=weight, minlength=n_titles)
    known = groups >= 0
    own = np.bincount(
        groups[known] * n_titles + titles[known],
        weights=weight[known],
        minlength=n_groups * n_titles,
    ).reshape(shape)
    prior = PRIOR_WEIGHT * (weight[weight > 0].mean() if (weight > 0).any() else 1.0)
    overall = of_all / max(of_all.sum(), 1.0)
    mixed: NDArray[np.float64] = (own + prior * overall) / (own.sum(axis=1, keepdims=True) + prior)
    return mixed


def _weights(
    signal: NDArray[np.floating], age_days: NDArray[np.floating], half_life_days: float
) -> NDArray[np.float64]:
    fresh = recency(age_days, half_life_days=half_life_days)
    weights: NDArray[np.float64] = np.rint(np.maximum(signal, 0.0) * fresh * _MICRO)
    return weights
