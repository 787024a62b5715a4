"""What slates are like besides right: how much of the catalogue they show, how new, how varied.

The examples share two slates over four titles; one place is empty.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

BLUR = 0.01
"""How much of a member's own mix is taken to be in every slate, so that KL stays finite."""


def exposure(slates: NDArray[np.intp], *, title_count: int) -> NDArray[np.int64]:
    """In how many places each title is shown, int64, shape (title_count,).

    Examples
    --------
    >>> slates = np.array([[0, 1], [0, -1]])
    >>> exposure(slates, title_count=4)
    array([2, 1, 0, 0])
    """
    return np.bincount(slates[slates >= 0], minlength=title_count).astype(np.int64)


def coverage(slates: NDArray[np.intp], *, title_count: int) -> float:
    """The share of the catalogue that is shown to anybody.

    Examples
    --------
    >>> slates = np.array([[0, 1], [0, -1]])
    >>> coverage(slates, title_count=4)
    0.5
    """
    return float((exposure(slates, title_count=title_count) > 0).mean())


def gini(slates: NDArray[np.intp], *, title_count: int) -> float:
    r"""How unequally places are dealt out over titles: 0 all alike, near 1 one title has all.

    :math:`\sum_i (2 i - n - 1) x_i / (n \sum_i x_i)` over exposures in ascending order.

    References
    ----------
    Fleder and Hosanagar, "Blockbuster culture's next rise or fall", Management Science 2009.

    Examples
    --------
    Exposures 0, 0, 1, 2: (0 + 0 + 1 + 3 * 2) / (4 * 3).

    >>> slates = np.array([[0, 1], [0, -1]])
    >>> round(gini(slates, title_count=4), 3)
    0.583
    """
    shown = np.sort(exposure(slates, title_count=title_count))
    if shown.sum() == 0:
        return 0.0
    place = 2 * np.arange(1, title_count + 1) - title_count - 1
    return float((place * shown).sum() / (title_count * shown.sum()))


def novelty(
    slates: NDArray[np.intp], member_counts: NDArray[np.integer], *, member_count: int
) -> NDArray[np.float64]:
    r"""Mean self-information of a slate's titles, in bits; NaN for an empty slate.

    :math:`-\log_2` of the share of members who met the title. A title that nobody met counts as
    met by one, or it would be infinitely new.

    Parameters
    ----------
    member_counts : int, shape (n_titles,)
        How many members met each title in the training data.
    member_count : int
        How many members there are.

    References
    ----------
    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems",
    PNAS 2010.

    Examples
    --------
    Title 0 was met by all four members, title 1 by one of four: 0 and 2 bits.

    >>> slates = np.array([[0, 1], [0, -1]])
    >>> novelty(slates, np.array([4, 1, 0, 0]), member_count=4)
    array([1., 0.])
    """
    bits = -np.log2(np.maximum(member_counts, 1) / member_count)
    filled = slates >= 0
    total = np.where(filled, bits[slates], 0.0).sum(axis=1)
    places = filled.sum(axis=1)
    nothing = np.full(len(slates), np.nan)
    mean: NDArray[np.float64] = np.divide(total, places, out=nothing, where=places > 0)
    return mean


def intra_list_diversity(
    slates: NDArray[np.intp], title_features: sp.csr_array[np.float32]
) -> NDArray[np.float64]:
    r"""Mean cosine distance of a slate's pairs of titles; NaN with fewer than two titles.

    From the sum of the unit vectors: :math:`|\sum u|^2 = \sum |u|^2 + 2 \sum_{i<j} u_i u_j`, so the
    cost is linear in the length of the slate. A title without features is unlike all others.

    References
    ----------
    Ziegler et al., "Improving recommendation lists through topic diversification", WWW 2005.

    Examples
    --------
    Titles 0 and 1 share one of two genres each: cosine 1/2.

    >>> slates = np.array([[0, 1], [0, -1]])
    >>> genres = sp.csr_array(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1]], np.float32))
    >>> intra_list_diversity(slates, genres).round(3)
    array([0.5, nan])
    """
    n_titles = title_features.shape[0]
    features = title_features.astype(np.float64)
    lengths = np.sqrt(np.asarray(features.multiply(features).sum(axis=1))).reshape(-1)
    scale = np.divide(1.0, lengths, out=np.zeros(n_titles), where=lengths > 0)
    unit = sp.diags_array(scale).tocsr() @ features

    filled = slates >= 0
    places = filled.sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(places)])
    shown = sp.csr_array(
        (np.ones(starts[-1]), slates[filled], starts), shape=(len(slates), n_titles)
    )
    total = shown @ unit
    squared = np.asarray(total.multiply(total).sum(axis=1)).reshape(-1)
    alike = squared - shown @ (lengths > 0).astype(np.float64)  # twice the sum over pairs
    pairs = places * (places - 1)
    nothing = np.full(len(slates), np.nan)
    mean: NDArray[np.float64] = np.divide(alike, pairs, out=nothing, where=pairs > 0)
    return 1.0 - mean


def serendipity(
    slates: NDArray[np.intp], truth: sp.csr_array[np.bool_], expected: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The share of a slate's places that hit with a title nobody had to be told about.

    A hit is a surprise when the title is absent from what the simplest recommender would have
    shown the same member. NaN for members with nothing in the truth.

    Parameters
    ----------
    expected : intp, shape (n_members, any)
        The simplest recommender's slates: popularity.

    References
    ----------
    Ge, Delgado-Battenfeld and Jannach, "Beyond accuracy: evaluating recommender systems by
    coverage and serendipity", RecSys 2010.

    Examples
    --------
    The first member's hit was to be expected, the second's was not.

    >>> truth = sp.csr_array(np.array([[1, 0, 0, 0], [0, 1, 0, 0]], dtype=bool))
    >>> serendipity(np.array([[0, 1], [1, -1]]), truth, np.array([[0, 2], [0, 2]]))
    array([0. , 0.5])
    """
    shown = _placed(slates, truth.shape)
    surprises = shown.multiply(truth.astype(np.float64))
    surprises = surprises - surprises.multiply(_placed(expected, truth.shape))
    found = np.asarray(surprises.sum(axis=1)).reshape(-1) / slates.shape[1]
    return np.where(np.diff(truth.indptr) > 0, found, np.nan)


def calibration(
    slates: NDArray[np.intp],
    tastes: NDArray[np.floating],
    title_genres: sp.csr_array[np.float32],
) -> NDArray[np.float64]:
    r"""How far a slate's mix of genres is from the member's own, in nats; 0 is alike.

    :math:`KL(p || (1 - a) q + a p)` with `a` = 0.01, `p` the member's mix and `q` the slate's. NaN
    where either is unknown.

    Parameters
    ----------
    tastes : float, shape (n_members, n_genres)
        Rows that sum to 1, or to 0 for members of whom nothing is known.
    title_genres : float CSR, shape (n_titles, n_genres)
        Rows that sum to 1, or empty ones.

    References
    ----------
    Steck, "Calibrated recommendations", RecSys 2018.

    Examples
    --------
    Half and half is wanted. The first slate is that; the second holds one genre only:
    0.5 log(0.5 / 0.995) + 0.5 log(0.5 / 0.005).

    >>> genres = sp.csr_array(np.array([[1, 0], [0, 1]], np.float32))
    >>> calibration(np.array([[0, 1], [0, -1]]), np.array([[0.5, 0.5]] * 2), genres).round(3)
    array([0.   , 1.959])
    """
    mix = np.asarray(
        (_placed(slates, (len(slates), title_genres.shape[0])) @ title_genres).todense()
    )
    total = mix.sum(axis=1, keepdims=True)
    slate = np.divide(mix, total, out=np.zeros(mix.shape, np.float64), where=total > 0)
    own = np.asarray(tastes, np.float64)
    blurred = (1 - BLUR) * slate + BLUR * own
    ratio = np.divide(own, blurred, out=np.ones_like(own), where=own > 0)
    known = (total[:, 0] > 0) & (own.sum(axis=1) > 0)
    return np.where(known, (own * np.log(ratio)).sum(axis=1), np.nan)


def _placed(slates: NDArray[np.intp], shape: tuple[int, int]) -> sp.csr_array[np.float64]:
    """1 where a member is shown a title."""
    member, place = np.nonzero(slates >= 0)
    parts = np.ones(len(member)), (member, slates[member, place])
    return sp.csr_array(parts, shape=shape)
