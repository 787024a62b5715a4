"""Moves titles that are shown too little up in slates, by the smallest boost that is enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.slates.ranking import NONE


def required_boost(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    titles: NDArray[np.bool_],
    *,
    share: float,
    places: int,
) -> float:
    """The smallest boost that gives some titles `share` of the first places; see `boosted`.

    Parameters
    ----------
    rows, scores : shape (n_members, k)
        Slates as `ranking.best_titles` returns them, or reordered; longer than `places`.
    titles : bool, shape (n_titles,)
        The titles that are shown too little.

    Notes
    -----
    Where slates hold too few of the titles, the share stays below `share` and all of them move up.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"a share is 0 to 1, got {share}")
    filled = rows != NONE
    of_titles = titles[rows] & filled

    def reached(boost: float) -> float:
        order = _order(rows, scores, titles, boost)[:, :places]
        first = np.take_along_axis(of_titles, order, 1)
        return float(first.sum() / max(1, np.take_along_axis(filled, order, 1).sum()))

    low, high = 0.0, 2.0
    if reached(low) >= share:
        return low
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) >= share else (middle, high)
    return high


def boosted(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    titles: NDArray[np.bool_],
    boost: float,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The same slates with some titles moved up by a boost of their scores.

    The boost is in units of the spread of each slate's scores, so that the slates that change are
    those that lose little.
    """
    order = _order(rows, scores, titles, boost)
    return np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)


def _order(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    titles: NDArray[np.bool_],
    boost: float,
) -> NDArray[np.intp]:
    """The new order of the places of each slate.

    A place has the score of its rank when sorted by score, so that slates that were reordered
    before keep that order.
    """
    filled = rows != NONE
    by_score = -np.sort(-np.where(filled, scores, -np.inf), axis=1)
    last = np.where(filled, scores, np.inf).min(axis=1, keepdims=True)
    spread = np.maximum(by_score[:, :1] - last, 1e-9)
    scaled = np.where(filled, (by_score - last) / spread, -1.0)
    return np.argsort(-(scaled + boost * (titles[rows] & filled)), axis=1, kind="stable")
