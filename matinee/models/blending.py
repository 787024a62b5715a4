"""One model out of two: LightFM's vectors beside a linear model of title on title.

LightFM knows content, cold titles and similar members; the linear model knows which titles follow
which. Both scores are dot products, so their sum is one dot product of longer vectors. Scoring,
explanations and erasure use the sum like any other model, and contributions stay exact.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.matrices import IDENTITY, Features, has_interactions
from matinee.models.linear import LinearVectors

SHARPNESS = 1.5
"""The power to which a trend is raised; 1 gives the same accuracy for less variety."""


def blended(
    members: NDArray[np.float32],
    titles: NDArray[np.float32],
    member_features: Features,
    title_features: Features,
    *,
    linear: LinearVectors,
    query_weights: sp.csr_array[np.float32],
    share: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embeddings of features with the linear model's dimensions after their own.

    Parameters
    ----------
    members : float32, shape (n_member_features, n_dimensions)
    titles : float32, shape (n_title_features, n_dimensions + 1)
        The last column is the bias, and stays the last.
    query_weights : float32 CSR, shape (n_members, n_titles)
        The interactions weighted by recency, which LightFM does not see.
    share : float
        The linear model's part of the spread of scores, 0 to 1. With 0.5 its scores vary over
        titles as much as LightFM's, over all members with interactions.

    Returns
    -------
    float32, (n_member_features, n + m) and (n_title_features, n + m + 1)
        The linear model's `m` dimensions are zero except for identities.
    """
    if not 0 <= share < 1:
        raise ConfigError(f"the linear model's share must lie from 0 to below 1, got {share}")
    own = np.asarray(query_weights @ linear.query_factors, np.float64)
    active = has_interactions(query_weights)
    learned = member_features.matrix[active] @ members
    theirs = spread(learned, (title_features.matrix @ titles)[:, :-1])
    others = spread(own[active], linear.title_factors)
    scale = share / (1 - share) * theirs / others if others > 0 else 0.0
    title_factors = of_identities(linear.title_factors, title_features)
    return (
        np.hstack([members, of_identities(own * scale, member_features)]),
        np.hstack([titles[:, :-1], title_factors, titles[:, -1:]]),
    )


def risen(trend: NDArray[np.float64], *, spread: float) -> NDArray[np.float64]:
    """What a trend adds to each title's bias at a weight of 1: it varies as much as `spread`.

    Trends are raised to a power, so that only the few most popular titles move to the top. With
    their logarithm hundreds of titles would move up a little and all slates would become alike.
    """
    sharp = trend**SHARPNESS
    varies = sharp.std()
    return sharp * (spread / varies if varies > 0 else 0.0)


def spread(members: NDArray[np.floating], titles: NDArray[np.floating]) -> float:
    """How far a member's scores are from each other: root mean square over members."""
    between = np.cov(np.asarray(titles, np.float64).T)
    variance = np.einsum("ij,jk,ik->i", members, np.atleast_2d(between), members, optimize=True)
    return float(np.sqrt(np.maximum(variance, 0.0).mean())) if len(members) else 0.0


def of_identities(rows: NDArray[np.floating], features: Features) -> NDArray[np.float32]:
    """Each row at its member's or title's own column of the features, zero elsewhere."""
    identity = features.columns_of(IDENTITY)
    if identity.sum() != len(rows):
        raise ConfigError(
            f"{len(rows)} rows for {identity.sum()} identities: only a model that knows ids blends"
        )
    placed = np.zeros((len(identity), rows.shape[1]), np.float32)
    placed[identity] = rows
    return placed
