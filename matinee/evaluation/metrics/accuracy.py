"""Accuracy of slates against the held-out set: one number per member.

Slates are title rows, best first, -1 where a place is empty (a miss). Truth, the held-out set, is a
boolean CSR matrix with one row per member. A member without held-out titles gets NaN.

The examples share two members and three titles. The first watched titles 0 and 2 and was shown
0, 1; the second watched title 1 and was shown 2 only.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError


def ndcg(slates: NDArray[np.intp], truth: sp.csr_array[np.bool_]) -> NDArray[np.float64]:
    r"""Discounted gain of the hits, as a share of the best possible.

    :math:`\sum_{i \in hits} 1 / \log_2(i + 1)` over the same sum of the first
    :math:`\min(k, |truth|)` places, `i` counted from 1.

    References
    ----------
    Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002.

    Examples
    --------
    The first member's gain is 1 at place 1; with two held-out titles 1 + 0.631 is possible.

    >>> slates = np.array([[0, 1], [2, -1]])
    >>> truth = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], dtype=bool))
    >>> ndcg(slates, truth).round(3)
    array([0.613, 0.   ])
    """
    discount = 1 / np.log2(np.arange(2, slates.shape[1] + 2))
    ideal = np.concatenate([[np.nan], np.cumsum(discount)])
    best: NDArray[np.float64] = ideal[np.minimum(_truth_sizes(truth), slates.shape[1])]
    gain: NDArray[np.float64] = _hits(slates, truth) @ discount
    return gain / best


def recall(slates: NDArray[np.intp], truth: sp.csr_array[np.bool_]) -> NDArray[np.float64]:
    """The share of held-out titles in the slate: hits / |truth|.

    Examples
    --------
    >>> slates = np.array([[0, 1], [2, -1]])
    >>> truth = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], dtype=bool))
    >>> recall(slates, truth)
    array([0.5, 0. ])
    """
    share: NDArray[np.float64] = _hits(slates, truth).sum(axis=1) / _truth_counts(truth)
    return share


def precision(slates: NDArray[np.intp], truth: sp.csr_array[np.bool_]) -> NDArray[np.float64]:
    """The share of the slate's places that hit: hits / k, empty places included.

    Examples
    --------
    >>> slates = np.array([[0, 1], [2, -1]])
    >>> truth = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], dtype=bool))
    >>> precision(slates, truth)
    array([0.5, 0. ])
    """
    return np.where(_truth_counts(truth) > 0, _hits(slates, truth).mean(axis=1), np.nan)


def average_precision(
    slates: NDArray[np.intp], truth: sp.csr_array[np.bool_]
) -> NDArray[np.float64]:
    r"""Mean precision at the places with a hit, over the possible hits: its mean is MAP.

    :math:`\frac{1}{\min(k, |truth|)} \sum_{i \in hits} precision@i`

    Examples
    --------
    >>> slates = np.array([[0, 1], [2, -1]])
    >>> truth = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], dtype=bool))
    >>> average_precision(slates, truth)
    array([0.5, 0. ])
    """
    hits = _hits(slates, truth)
    precision_at = np.cumsum(hits, axis=1) / np.arange(1, slates.shape[1] + 1)
    possible = np.minimum(_truth_counts(truth), slates.shape[1])
    mean: NDArray[np.float64] = (precision_at * hits).sum(axis=1) / possible
    return mean


def reciprocal_rank(slates: NDArray[np.intp], truth: sp.csr_array[np.bool_]) -> NDArray[np.float64]:
    """1 / the place of the first hit, 0 without one: its mean is MRR.

    Examples
    --------
    >>> slates = np.array([[0, 1], [2, -1]])
    >>> truth = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], dtype=bool))
    >>> reciprocal_rank(slates, truth)
    array([1., 0.])
    """
    hits = _hits(slates, truth)
    first = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)
    return np.where(_truth_counts(truth) > 0, first, np.nan)


def hit(slates: NDArray[np.intp], truth: sp.csr_array[np.bool_]) -> NDArray[np.float64]:
    """1 if any place is a hit, else 0: its mean is the hit rate.

    Examples
    --------
    >>> slates = np.array([[0, 1], [2, -1]])
    >>> truth = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], dtype=bool))
    >>> hit(slates, truth)
    array([1., 0.])
    """
    return np.where(
        _truth_counts(truth) > 0, _hits(slates, truth).any(axis=1).astype(float), np.nan
    )


def auc(
    scores: NDArray[np.floating],
    truth: sp.csr_array[np.bool_],
    *,
    excluded: sp.csr_array[np.bool_] | None = None,
) -> NDArray[np.float64]:
    r"""The probability that a held-out title scores above another title; a tie counts half.

    From ranks, :math:`(R - p (p + 1) / 2) / (p n)`, with `R` the sum of the ranks of the `p`
    titles of the truth among them and the `n` others.

    Parameters
    ----------
    scores : float, shape (n_members, n_titles)
        Scores of all titles for a block of members.
    excluded : bool CSR, optional
        Titles that are left out. NaN where no title is left to compare with.

    References
    ----------
    Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982.

    Examples
    --------
    The first member's titles 0 and 2 score above and below title 1: one of two pairs is right.

    >>> truth = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]], dtype=bool))
    >>> auc(np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 1.0]]), truth)
    array([0.5, 1. ])
    """
    left = np.asarray(scores, np.float64)
    counted = np.full(len(left), left.shape[1])
    if excluded is not None:
        if excluded.multiply(truth).nnz:
            raise ConfigError("a title of the truth is excluded from the AUC: exclude others only")
        left = np.where(excluded.toarray(), -np.inf, left)
        counted = counted - np.diff(excluded.indptr)
    from scipy.stats import rankdata  # half a second to import, and only AUC needs it

    ranks = rankdata(left, axis=1) - (left.shape[1] - counted)[:, None]
    positives = np.diff(truth.indptr)
    total = np.bincount(
        np.repeat(np.arange(len(left)), positives),
        weights=ranks[np.repeat(np.arange(len(left)), positives), truth.indices],
        minlength=len(left),
    )
    pairs = positives * (counted - positives)
    above = total - positives * (positives + 1) / 2
    nothing = np.full(len(left), np.nan)
    share: NDArray[np.float64] = np.divide(above, pairs, out=nothing, where=pairs > 0)
    return share


def _truth_sizes(truth: sp.csr_array[np.bool_]) -> NDArray[np.intp]:
    """The number of held-out titles of each member."""
    return np.diff(truth.indptr).astype(np.intp)


def _truth_counts(truth: sp.csr_array[np.bool_]) -> NDArray[np.float64]:
    """The same, NaN where it is zero."""
    sizes = _truth_sizes(truth)
    return np.where(sizes > 0, sizes, np.nan)


def _hits(slates: NDArray[np.intp], truth: sp.csr_array[np.bool_]) -> NDArray[np.bool_]:
    """The places of the slates that hold a held-out title: bool, shape of `slates`."""
    n_members, n_titles = truth.shape
    if len(slates) != n_members:
        raise ConfigError(f"{len(slates)} slates for {n_members} members of the truth")
    rows = np.arange(n_members, dtype=np.int64)
    held_out = np.repeat(rows, _truth_sizes(truth)) * n_titles + truth.indices
    shown = rows[:, None] * n_titles + slates
    return np.isin(shown, held_out, kind="sort") & (slates >= 0)
