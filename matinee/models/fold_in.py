"""Vectors of members who did something since the model was fitted, without a fit.

Features of a member are known, so their part of the vector stays; what the identity would add is
estimated by a ridge over the titles that the member interacted with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PENALTY = 3.0
"""Of the ridge, in titles: so many of mean length weigh as much as the vector that was known."""

HIGH = 2.0
"""A title that was interacted with is to score so many standard deviations above the mean."""


def folded_in(
    known: NDArray[np.float32],
    titles: NDArray[np.float32],
    liked: NDArray[np.intp],
    *,
    penalty: float = PENALTY,
) -> NDArray[np.float32]:
    r"""The vector of one member with the interactions since.

    .. math:: \min_\delta \sum_{t \in L} (\tau - (u + \delta) \cdot v_t)^2 + \lambda |\delta|^2

    with :math:`\tau` the mean of the member's scores and `HIGH` of their standard deviations. As
    implicit ALS folds members in (Hu, Koren and Volinsky 2008), with the known vector as the prior.

    Parameters
    ----------
    known : float32, shape (d,)
        The member's vector by their features, or by the last fit. Its last place is a 1, which
        meets the bias of titles and stays.
    titles : float32, shape (n_titles, d)
    liked : intp, shape (n,)
        Titles that the member interacted with.

    Returns
    -------
    float32, shape (d,)
    """
    if not len(liked):
        return known
    scores = titles @ known
    target = scores.mean() + HIGH * scores.std()
    own = titles[liked, :-1].astype(np.float64)
    missing = np.maximum(target - scores[liked], 0.0).astype(np.float64)
    size = float(np.einsum("ij,ij->", own, own)) / len(liked)
    # As many equations as titles: the smaller side of the ridge.
    gram = own @ own.T
    gram[np.diag_indices_from(gram)] += penalty * max(size, 1e-12)
    moved = known.copy()
    moved[:-1] += (own.T @ np.linalg.solve(gram, missing)).astype(np.float32)
    return moved
