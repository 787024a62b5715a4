"""Linear models of title on title: strong, simple baselines.

Each has a weight matrix `B`; a member's scores are `likes @ B`, from the member's interactions
alone. Ridge regression also comes as vectors, for the hybrid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.matrices import has_interactions

OVERSAMPLED = 32
"""Extra directions of the randomised iteration, for accuracy."""

ITERATIONS = 8


class LinearVectors(NamedTuple):
    """A linear model of title on title as dot products."""

    query_factors: NDArray[np.float32]
    """float32, shape (n_titles, dimensions). A member's vector is their weighted sum over the
    member's interactions."""

    title_factors: NDArray[np.float32]
    """float32, shape (n_titles, dimensions). A score is the dot product of the member's vector and
    a title's factors. With fewer titles than dimensions the last columns are zero."""


def nearest_titles(
    likes: sp.csr_array[np.float32], *, neighbours: int = 100, shrinkage: float = 20.0
) -> sp.csr_array[np.float32]:
    """Item-kNN: the most similar titles of each title, by a cosine shrunk by joint interactions.

    Parameters
    ----------
    likes : float32 CSR, shape (n_members, n_titles)
    neighbours : int
        How many other titles each title keeps; of equally similar ones those with lower rows.
    shrinkage : float
        A pair with `shrinkage` joint members keeps half of its cosine.

    Returns
    -------
    float32 CSR, shape (n_titles, n_titles)
        `likes @ it` are the scores.

    References
    ----------
    Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
    """
    both = _gram(likes)
    liked = likes.copy()
    liked.data = np.ones_like(liked.data)
    together = _gram(liked)
    lengths = np.sqrt(np.diag(both))
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    cosine = both * scale[:, None] * scale[None, :]
    cosine *= together / (together + shrinkage)
    np.fill_diagonal(cosine, 0.0)
    n_titles = len(cosine)
    kept = min(neighbours, n_titles)
    order = np.argsort(-cosine, axis=0, kind="stable")[:kept]
    columns = np.broadcast_to(np.arange(n_titles), order.shape)
    values = np.take_along_axis(cosine, order, axis=0).astype(np.float32)
    weights = sp.csr_array(
        (values.reshape(-1), (order.reshape(-1), columns.reshape(-1))), shape=cosine.shape
    )
    weights.eliminate_zeros()
    return weights


def ease(likes: sp.csr_array[np.float32], *, penalty: float) -> NDArray[np.float32]:
    """Ridge regression of each title on all others: float32, shape (n_titles, n_titles).

    Notes
    -----
    Inverts a dense matrix: memory is 8 bytes times the square of the number of titles, time about
    2 operations times its cube. 20,000 titles take 3 GB; `linear_vectors` is linear in titles.

    References
    ----------
    Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.
    """
    _check_penalty(penalty)
    gram = _gram(likes)
    gram[np.diag_indices_from(gram)] += penalty
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0.0)
    result: NDArray[np.float32] = weights.astype(np.float32)
    return result


def linear_vectors(
    likes: sp.csr_array[np.float32], *, penalty: float, dimensions: int
) -> LinearVectors:
    r"""EASE as dot products, in the `dimensions` main directions.

    With :math:`X^T X = Q \Lambda Q^T` the inverse in EASE is
    :math:`\lambda^{-1} (I - Q S Q^T)`, :math:`S = \Lambda / (\Lambda + \lambda)`. So off the
    diagonal the weight of title `i` for title `j` is

    .. math:: B_{ij} = \\frac{w_i \\cdot w_j}{1 - w_j \\cdot w_j}, \\quad w = Q S^{1/2}

    which is exact with all directions. The largest ones leave out what the penalty has shrunk to
    nearly zero. The diagonal does not matter: seen titles are not recommended.

    Notes
    -----
    Linear in memory and in the number of likes. The directions come from a randomised subspace
    iteration with a fixed start, so equal likes give equal vectors.

    References
    ----------
    Steck, as for `ease`; Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM
    Review 2011, algorithm 4.4.
    """
    _check_penalty(penalty)
    values, directions = _main_directions(likes, dimensions)
    active = has_interactions(likes, of="titles")
    directions = np.where(active[:, None], directions, 0.0)  # otherwise zero but for the last bits
    query = directions * np.sqrt(values / (values + penalty))
    title = query / (1.0 - np.einsum("ij,ij->i", query, query))[:, None]
    missing = ((0, 0), (0, dimensions - query.shape[1]))
    return LinearVectors(
        np.pad(query, missing).astype(np.float32), np.pad(title, missing).astype(np.float32)
    )


def _main_directions(
    likes: sp.csr_array[np.float32], dimensions: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest eigenvalues of `likes.T @ likes`, and their vectors as columns."""
    wide = likes.astype(np.float64)
    n_titles = likes.shape[1]
    width = min(dimensions + OVERSAMPLED, n_titles)
    basis = np.random.default_rng(0).standard_normal((n_titles, width))
    image: NDArray[np.float64]
    for _ in range(ITERATIONS):
        image = np.asarray(wide.T @ (wide @ basis))
        basis, _ = np.linalg.qr(image)
    image = np.asarray(wide @ basis)
    values, turns = np.linalg.eigh(image.T @ image)  # ascending
    kept = min(dimensions, width)
    largest = np.s_[: -kept - 1 : -1]
    return np.maximum(values[largest], 0.0), basis @ turns[:, largest]


def _gram(likes: sp.csr_array[np.float32]) -> NDArray[np.float64]:
    """The inner products of every two titles' interactions, dense, float64."""
    wide = likes.astype(np.float64)
    gram: NDArray[np.float64] = (wide.T @ wide).toarray()
    return gram


def _check_penalty(penalty: float) -> None:
    if not penalty > 0:
        raise ConfigError(f"a ridge penalty must be above 0, got {penalty}")
