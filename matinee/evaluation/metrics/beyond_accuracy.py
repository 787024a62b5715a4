"""Coverage, inequality, novelty, diversity, serendipity and calibration of slates.

The examples share two slates over four titles; one place is empty.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.matrices import has_interactions

BLUR = 0.01
"""The share of the member's own genre distribution in every slate, so that KL stays finite."""


def exposure(slates: NDArray[np.intp], *, title_count: int) -> NDArray[np.int64]:
    """The number of places in which each title is shown, int64, shape (title_count,).

    Examples
    --------
    >>> slates = np.array([[0, 1], [0, -1]])
    >>> exposure(slates, title_count=4)
    array([2, 1, 0, 0])
    """
    return np.bincount(slates[slates >= 0], minlength=title_count).astype(np.int64)


def coverage(slates: NDArray[np.intp], *, title_count: int) -> float:
    """The share of the catalogue that is shown to at least one member.

    Examples
    --------
    >>> slates = np.array([[0, 1], [0, -1]])
    >>> coverage(slates, title_count=4)
    0.5
    """
    return float((exposure(slates, title_count=title_count) > 0).mean())


def gini(slates: NDArray[np.intp], *, title_count: int) -> float:
    r"""The inequality of exposure over titles: 0 all equal, near 1 one title has all places.

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

    :math:`-\log_2` of the share of members with an interaction with the title. A title without
    interactions counts as one with one, or its novelty would be infinite.

    Parameters
    ----------
    member_counts : int, shape (n_titles,)
        Members with an interaction with each title in the training data.
    member_count : int
        The number of all members.

    References
    ----------
    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems",
    PNAS 2010.

    Examples
    --------
    Title 0 has interactions of all four members, title 1 of one: 0 and 2 bits.

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
    cost is linear in the length of the slate. A title without features has
    distance 1 to all others.

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
    """The share of a slate's places that are unexpected hits.

    A hit is unexpected when the title is absent from the popularity slate of the same member. NaN
    for members without held-out titles.

    Parameters
    ----------
    expected : intp, shape (n_members, any)
        The popularity slates.

    References
    ----------
    Ge, Delgado-Battenfeld and Jannach, "Beyond accuracy: evaluating recommender systems by
    coverage and serendipity", RecSys 2010.

    Examples
    --------
    The first member's hit was expected, the second's was not.

    >>> truth = sp.csr_array(np.array([[1, 0, 0, 0], [0, 1, 0, 0]], dtype=bool))
    >>> serendipity(np.array([[0, 1], [1, -1]]), truth, np.array([[0, 2], [0, 2]]))
    array([0. , 0.5])
    """
    shown = _placed(slates, truth.shape)
    surprises = shown.multiply(truth.astype(np.float64))
    surprises = surprises - surprises.multiply(_placed(expected, truth.shape))
    share = np.asarray(surprises.sum(axis=1)).reshape(-1) / slates.shape[1]
    return np.where(has_interactions(truth), share, np.nan)


def calibration(
    slates: NDArray[np.intp],
    tastes: NDArray[np.floating],
    title_genres: sp.csr_array[np.float32],
) -> NDArray[np.float64]:
    r"""The KL divergence of a slate's genres from the member's genre distribution, in nats.

    :math:`KL(p || (1 - a) q + a p)` with `a` = 0.01, `p` the member's distribution and `q` the
    slate's. 0 means equal; NaN where either is unknown.

    Parameters
    ----------
    tastes : float, shape (n_members, n_genres)
        Rows that sum to 1, or to 0 for members without interactions.
    title_genres : float CSR, shape (n_titles, n_genres)
        Rows that sum to 1, or empty ones.

    References
    ----------
    Steck, "Calibrated recommendations", RecSys 2018.

    Examples
    --------
    The member has two equal genres. The first slate has both; the second has only one:
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
