"""One model out of two: LightFM's vectors beside a linear model of title on title.

LightFM knows content, newcomers and who is like whom; the linear model knows what is watched after
what. Both scores are dot products, so their sum is one dot product of longer vectors: to whatever
scores, explains or erases, the blend is a model like any other, and its contributions stay exact.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.matrices import IDENTITY, Features
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
    asked: sp.csr_array[np.float32],
    share: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embeddings of features with the linear model's dimensions after their own.

    Parameters
    ----------
    members : float32, shape (n_member_features, n_dimensions)
    titles : float32, shape (n_title_features, n_dimensions + 1)
        The last column is the bias, and stays the last.
    asked : float32 CSR, shape (n_members, n_titles)
        What speaks for each member, the last likes loudest: what LightFM cannot see, because to it
        all that happened is equally long ago.
    share : float
        The linear model's part of the spread of scores, 0 to 1: with 0.5 what it says varies as
        much over titles as what LightFM says, over all members who did anything. Whoever did little
        has it say little.

    Returns
    -------
    float32, (n_member_features, n + m) and (n_title_features, n + m + 1)
        The linear model's `m` dimensions are zero but for identities: it knows nothing else.
    """
    if not 0 <= share < 1:
        raise ConfigError(f"the linear model's share must lie from 0 to below 1, got {share}")
    own = np.asarray(asked @ linear.asked, np.float64)
    active = np.diff(asked.indptr) > 0
    learned = member_features.matrix[active] @ members
    theirs = spread(learned, (title_features.matrix @ titles)[:, :-1])
    others = spread(own[active], linear.answered)
    scale = share / (1 - share) * theirs / others if others > 0 else 0.0
    answered = of_identities(linear.answered, title_features)
    return (
        np.hstack([members, of_identities(own * scale, member_features)]),
        np.hstack([titles[:, :-1], answered, titles[:, -1:]]),
    )


def risen(trend: NDArray[np.float64], *, spread: float) -> NDArray[np.float64]:
    """What a trend adds to each title's bias at a weight of 1: it varies as much as `spread`.

    Trends are sharpened: the few that everybody wants come first, and the places after them stay
    the member's own. By their logarithm hundreds of titles rise a little and all slates become
    alike before those few are on top.
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
