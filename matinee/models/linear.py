"""Strong, simple recommenders that the hybrid has to beat: linear models of title on title.

Each gives a weight matrix `B`, and a member's scores are `likes @ B`: the likes of a member are all
that is known of the member. Ridge regression also comes as vectors, which is how the hybrid takes
it in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError

OVERSAMPLED = 32
"""Directions beyond those asked for that make these exact."""

ITERATIONS = 8


class LinearVectors(NamedTuple):
    """A linear model of title on title as dot products."""

    asked: NDArray[np.float32]
    """float32, shape (n_titles, dimensions): what liking a title asks for. A member's vector is
    the weighed sum over what the member liked."""

    answered: NDArray[np.float32]
    """float32, shape (n_titles, dimensions): what a title answers with. Directions that so few
    titles do not have are zero."""


def nearest_titles(
    likes: sp.csr_array[np.float32], *, neighbours: int = 100, shrinkage: float = 20.0
) -> sp.csr_array[np.float32]:
    """Item-kNN: each title's most alike others, by cosine shrunk where few members liked both.

    Parameters
    ----------
    likes : float32 CSR, shape (n_members, n_titles)
    neighbours : int
        How many others each title keeps; of equally alike ones those with lower rows.
    shrinkage : float
        A pair that `shrinkage` members liked both keeps half of its cosine.

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
    alike = both * scale[:, None] * scale[None, :]
    alike *= together / (together + shrinkage)
    np.fill_diagonal(alike, 0.0)
    n_titles = len(alike)
    kept = min(neighbours, n_titles)
    order = np.argsort(-alike, axis=0, kind="stable")[:kept]
    columns = np.broadcast_to(np.arange(n_titles), order.shape)
    values = np.take_along_axis(alike, order, axis=0).astype(np.float32)
    weights = sp.csr_array(
        (values.reshape(-1), (order.reshape(-1), columns.reshape(-1))), shape=alike.shape
    )
    weights.eliminate_zeros()
    return weights


def ease(likes: sp.csr_array[np.float32], *, penalty: float) -> NDArray[np.float32]:
    """Ridge regression of each title on all others: float32, shape (n_titles, n_titles).

    Notes
    -----
    Inverts a dense matrix: 8 bytes and some 2 operations for the square and the cube of the number
    of titles. 20,000 titles take 3 GB; `linear_vectors` does not.

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
    r"""EASE as dot products, on the `dimensions` main directions of taste.

    With :math:`X^T X = Q \Lambda Q^T` the inverse in EASE is
    :math:`\lambda^{-1} (I - Q S Q^T)`, :math:`S = \Lambda / (\Lambda + \lambda)`. So off the
    diagonal the weight of title `i` for title `j` is

    .. math:: B_{ij} = \\frac{w_i \\cdot w_j}{1 - w_j \\cdot w_j}, \\quad w = Q S^{1/2}

    which is exact with all directions, and with the largest ones leaves out what the penalty had
    nearly silenced. The diagonal, a title speaking for itself, is of no use: what was liked is not
    shown again.

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
    met = np.bincount(likes.indices, minlength=likes.shape[1]) > 0
    directions = np.where(met[:, None], directions, 0.0)  # zero but for the last bits
    asked = directions * np.sqrt(values / (values + penalty))
    answered = asked / (1.0 - np.einsum("ij,ij->i", asked, asked))[:, None]
    missing = ((0, 0), (0, dimensions - asked.shape[1]))
    return LinearVectors(
        np.pad(asked, missing).astype(np.float32), np.pad(answered, missing).astype(np.float32)
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
    """How alike the likes of every two titles are, dense, float64."""
    wide = likes.astype(np.float64)
    gram: NDArray[np.float64] = (wide.T @ wide).toarray()
    return gram


def _check_penalty(penalty: float) -> None:
    if not penalty > 0:
        raise ConfigError(f"a ridge penalty must be above 0, got {penalty}")
