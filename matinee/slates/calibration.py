"""Calibration: reorders slates toward the member's own genre distribution (Steck, 2018)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.slates.ranking import NONE

BLUR = 0.01
"""The share of the member's distribution in that of a slate, so that the divergence of a missing
genre stays finite. As in `metrics.calibration`."""

CALIBRATED_PLACES = 20
"""The first places are calibrated; the rest keeps its order."""

SPREAD = 2.5
"""The spread of a slate's scores, in units of the distance from a fifth of the way down to the end.
A few very high scores do not change it."""

_BLOCK = 256


def shares(features: sp.csr_array[np.float32]) -> sp.csr_array[np.float32]:
    """Rows scaled to sum 1: the genre shares of each title. Empty rows stay empty."""
    total: NDArray[np.float32] = np.asarray(features.sum(axis=1)).reshape(-1)
    scale = np.divide(1, total, out=np.zeros(len(total), np.float32), where=total > 0)
    return sp.csr_array(sp.diags_array(scale).tocsr() @ features)


def tastes(
    liked: sp.csr_array[np.float32], title_genres: sp.csr_array[np.float32]
) -> NDArray[np.float32]:
    """Each member's genre distribution, shape (n_members, n_genres): rows sum to 1, or to 0."""
    mix: NDArray[np.float32] = shares(sp.csr_array(liked @ title_genres)).toarray()
    return mix


def rerank(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    mixes: NDArray[np.float32],
    title_genres: sp.csr_array[np.float32],
    *,
    weight: float,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    r"""The same titles in another order: the first places near the member's genre distribution.

    Place by place, the title that maximises

    :math:`(1 - w) \sum_i s_i - w \, n \, KL(p || q)`

    with `s` the score in spreads of the slate's scores (see `SPREAD`; the last title has 0), `n`
    the number of filled places, `p` the member's distribution and `q` that of those places.

    Parameters
    ----------
    rows, scores : shape (n_members, k)
        Slates as `ranking.best_titles` returns them; longer slates give more choice.
    mixes : float32, shape (n_members, n_genres)
        As `tastes` returns them. A row of zeros leaves the slate unchanged.
    title_genres : float32 CSR, shape (n_titles, n_genres)
        As `shares` returns them.
    weight : float
        0 changes nothing, 1 uses the genre distribution only.

    Notes
    -----
    Steck's sum has KL without `n`, so that scores dominate further down the slate. With `n` a
    weight means the same at every place and for slates of any length.

    References
    ----------
    Steck, "Calibrated recommendations", RecSys 2018.
    """
    if not 0 <= weight <= 1:
        raise ConfigError(f"the weight of calibration is 0 to 1, got {weight}")
    new_rows, new_scores = rows.copy(), scores.copy()
    if weight == 0 or not title_genres.shape[1]:
        return new_rows, new_scores
    genres = title_genres.toarray()
    known = np.flatnonzero((mixes.sum(axis=1) > 0) & (rows[:, 0] != NONE))
    for start in range(0, len(known), _BLOCK):
        members = known[start : start + _BLOCK]
        order = _order(rows[members], scores[members], mixes[members], genres, weight)
        new_rows[members] = np.take_along_axis(rows[members], order, 1)
        new_scores[members] = np.take_along_axis(scores[members], order, 1)
    return new_rows, new_scores


def _order(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    mixes: NDArray[np.float32],
    genres: NDArray[np.float32],
    weight: float,
) -> NDArray[np.intp]:
    """The new order of the places of each slate; empty places stay last."""
    n_members, n_places = rows.shape
    filled = rows != NONE
    last = np.where(filled, scores, np.inf).min(axis=1, keepdims=True)
    upper = np.take_along_axis(scores, filled.sum(axis=1, keepdims=True) // 5, 1)
    scaled = np.where(filled, (scores - last) / np.maximum(SPREAD * (upper - last), 1e-9), 0)
    scaled = scaled.astype(np.float32)
    offered = genres[rows] * filled[:, :, None]
    shown = np.zeros_like(mixes)
    left = filled.copy()
    place = np.arange(n_places)
    rank = np.broadcast_to(place + n_places, rows.shape).copy()  # of places not chosen: as before
    members = np.arange(n_members)
    for step in range(min(CALIBRATED_PLACES, n_places)):
        mix = shown[:, None, :] + offered
        mix /= np.maximum(mix.sum(axis=2, keepdims=True), 1e-9)
        mix *= 1 - BLUR
        mix += BLUR * mixes[:, None, :]
        # KL up to the member's own entropy, which changes no choice. Terms with p = 0 are 0.
        fit = np.einsum("mg,mpg->mp", mixes, np.log(np.maximum(mix, 1e-9)))
        gain = (1 - weight) * scaled + weight * (step + 1) * fit
        best = np.where(left, gain, -np.inf).argmax(axis=1)
        open_ = left[members, best]
        rank[members[open_], best[open_]] = step
        left[members, best] = False
        shown += offered[members, best]
    return np.argsort(rank, axis=1, kind="stable")
