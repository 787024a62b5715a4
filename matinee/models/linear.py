"""Linear models of title on title: EASE, its low-rank form, RP3beta, item-kNN and successors.

Each one is a weight matrix `B`, shape (n_titles, n_titles), with a zero diagonal. A member's scores
are `queries @ B`. A plain query is the whole history with weights of one; a fading query weights
recent titles more. The matrix does not know which query it gets.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.models.history import History
from matinee.models.title_weights import TitleWeights

Interactions: TypeAlias = "sp.csr_array[np.float32]"
"""Shape (n_members, n_titles): positive where a member interacted with a title."""

Wide: TypeAlias = "sp.csr_array[np.float64]"

EXTRA_DIRECTIONS = 32
"""Directions beyond the requested ones that make the requested ones accurate."""

ITERATIONS = 8
"""Of the subspace iteration. More change no weight by more than a thousandth."""

NEIGHBOURS = 200
"""Weights that a row of RP3beta or a column of item-kNN keeps."""


def ease(interactions: Interactions, *, penalty: float) -> TitleWeights:
    r"""Ridge regression of each title on all others, by inverting the smaller side.

    Parameters
    ----------
    interactions : float32 CSR, shape (n_members, n_titles)
    penalty : float
        The ridge, above 0.

    Notes
    -----
    Members with one interaction add to the diagonal of the Gram matrix only:
    :math:`G = D + X^T X` with a diagonal `D` (the ridge and those members) and the rows `X` of
    all others. Either `G` is inverted over the titles of `X`, or, by Woodbury's identity,
    :math:`K = I + X D^{-1} X^T` over its members; both give the same weights. With `n` the smaller
    of the two counts, time is about :math:`n^3` operations (8,000: 25 CPU seconds) and memory
    `8 n (n + n_titles)` bytes at most. Larger: `low_rank_ease`.

    References
    ----------
    Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.
    """
    _check_penalty(penalty)
    wide: Wide = interactions.astype(np.float64)
    n_titles = wide.shape[1]
    counts = np.diff(wide.indptr)
    several, single = wide[counts > 1], wide[counts == 1]
    base = np.full(n_titles, penalty, np.float64)
    base += np.bincount(single.indices, single.data**2, minlength=n_titles)
    used = np.flatnonzero(np.bincount(several.indices, minlength=n_titles))
    if len(used) == 0:
        return TitleWeights(_matrix(np.zeros(0), used, used, (n_titles, n_titles)))
    if several.shape[0] < len(used):
        return _ease_by_members(several, base)
    return _ease_by_titles(several[:, used], base[used], used, n_titles)


def smaller_side(interactions: Interactions) -> int:
    """What `ease` inverts: the smaller count of members and of titles with several interactions."""
    several = interactions[np.diff(interactions.indptr) > 1]
    return min(several.shape[0], len(np.unique(several.indices)))


def _ease_by_titles(
    rows: Wide,
    base: NDArray[np.float64],
    used: NDArray[np.intp],
    n_titles: int,
) -> TitleWeights:
    gram = np.asarray((rows.T @ rows).toarray())
    gram[np.diag_indices_from(gram)] += base
    inverse = _inverse(gram)
    weights = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0.0)
    if len(used) == n_titles:
        return TitleWeights(weights)
    starts = np.zeros(n_titles + 1, np.int64)
    starts[used + 1] = len(used)
    parts = weights.ravel(), np.tile(used, len(used)), np.cumsum(starts)
    return TitleWeights(sp.csr_array(parts, shape=(n_titles, n_titles)))


def _ease_by_members(rows: Wide, base: NDArray[np.float64]) -> TitleWeights:
    columns: Wide = sp.csr_array(rows.T)
    left = _scaled(columns, 1.0 / base)  # (n_titles, n_members)
    kernel = np.asarray((rows @ left).toarray())
    kernel[np.diag_indices_from(kernel)] += 1.0
    inverse = _inverse(kernel)
    n_titles = columns.shape[0]
    right = np.empty((rows.shape[0], n_titles), np.float32)
    diagonal = np.empty(n_titles, np.float64)
    for start in range(0, n_titles, 1024):
        part = columns[start : start + 1024]
        image = np.asarray(part @ inverse)  # (n_part, n_members)
        row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        own = part.data * image[row, part.indices]
        lever = np.bincount(row, own, minlength=part.shape[0]) / base[start : start + 1024]
        right[:, start : start + 1024] = (image / (1.0 - lever)[:, None]).T
        diagonal[start : start + 1024] = lever / (1.0 - lever)
    return TitleWeights(left.astype(np.float32), right, diagonal.astype(np.float32))


def low_rank_ease(interactions: Interactions, *, penalty: float, dimensions: int) -> TitleWeights:
    r"""EASE on the `dimensions` main directions of taste: linear in memory and in interactions.

    With :math:`X^T X = Q \Lambda Q^T` the inverse in EASE is
    :math:`\lambda^{-1} (I - Q S Q^T)`, :math:`S = \Lambda / (\Lambda + \lambda)`. So off the
    diagonal the weight of title `i` for title `j` is

    .. math:: B_{ij} = \frac{w_i \cdot w_j}{1 - w_j \cdot w_j}, \quad w = Q S^{1/2}

    which is exact with all directions; the largest ones leave out what the penalty nearly removes.

    Notes
    -----
    The directions come from a randomised subspace iteration with a fixed start, so equal
    interactions give equal weights.

    References
    ----------
    Steck, as for `ease`; Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM
    Review 2011, algorithm 4.4.
    """
    _check_penalty(penalty)
    if dimensions < 1:
        raise ConfigError(f"a low-rank form needs at least 1 dimension, got {dimensions}")
    values, directions = _main_directions(interactions, dimensions)
    used = np.bincount(interactions.indices, minlength=interactions.shape[1]) > 0
    directions = np.where(used[:, None], directions, 0.0)  # zero but for the last bits
    factors = directions * np.sqrt(values / (values + penalty))
    lever = np.einsum("ij,ij->i", factors, factors)
    right = np.ascontiguousarray((factors / (1.0 - lever)[:, None]).T)
    return TitleWeights(
        factors.astype(np.float32),
        right.astype(np.float32),
        (lever / (1.0 - lever)).astype(np.float32),
    )


def _main_directions(
    interactions: Interactions, dimensions: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest eigenvalues of `interactions.T @ interactions`, and their vectors as columns."""
    wide = interactions.astype(np.float64)
    n_titles = interactions.shape[1]
    width = min(dimensions + EXTRA_DIRECTIONS, n_titles)
    basis = np.random.default_rng(0).standard_normal((n_titles, width))
    for _ in range(ITERATIONS):
        basis, _ = np.linalg.qr(np.asarray(wide.T @ (wide @ basis)))
    image = np.asarray(wide @ basis)
    values, turns = np.linalg.eigh(image.T @ image)  # ascending
    largest = np.s_[: -min(dimensions, width) - 1 : -1]
    return np.maximum(values[largest], 0.0), basis @ turns[:, largest]


def rp3beta(
    interactions: Interactions,
    *,
    alpha: float = 0.8,
    beta: float = 0.45,
    neighbours: int = NEIGHBOURS,
) -> TitleWeights:
    r"""Random walks of three steps, corrected for popularity.

    .. math:: B_{ij} = d_j^{-\beta} \sum_u
        \left(\frac{x_{ui}}{d_i}\right)^\alpha \left(\frac{x_{uj}}{d_u}\right)^\alpha

    with :math:`d` the sums of rows and columns.

    Parameters
    ----------
    interactions : float32 CSR, shape (n_members, n_titles)
    alpha : float
        The exponent of the transition probabilities.
    beta : float
        How much popular targets lose.
    neighbours : int
        The largest weights that each row keeps; of equal ones those of lower columns.

    References
    ----------
    Paudel, Christoffel, Newell and Bernstein, "Updatable, accurate, diverse, and scalable
    recommendations for interactive applications", ACM TiiS 2017.
    """
    if neighbours < 1:
        raise ConfigError(f"at least 1 neighbour must be kept, got {neighbours}")
    wide: Wide = interactions.astype(np.float64)
    columns: Wide = sp.csr_array(wide.T)
    of_members, of_titles = _row_sums(wide), _row_sums(columns)
    to_titles = _scaled(wide, 1.0 / np.maximum(of_members, 1e-12))
    to_members = _scaled(columns, 1.0 / np.maximum(of_titles, 1e-12))
    to_titles.data, to_members.data = to_titles.data**alpha, to_members.data**alpha
    popular = np.where(of_titles > 0, np.maximum(of_titles, 1e-12) ** -beta, 0.0)
    parts = []
    for start in range(0, wide.shape[1], 1024):
        walks: Wide = sp.csr_array(to_members[start : start + 1024] @ to_titles)
        walks.sort_indices()
        walks.data *= popular[walks.indices]
        row = np.repeat(np.arange(walks.shape[0]), np.diff(walks.indptr))
        walks.data[walks.indices == row + start] = 0.0
        parts.append(_largest(walks, neighbours))
    return TitleWeights(sp.csr_array(sp.vstack(parts, format="csr")))


def item_knn(
    interactions: Interactions, *, shrinkage: float = 20.0, neighbours: int = NEIGHBOURS
) -> TitleWeights:
    """Item-kNN: each title's most similar others, by cosine shrunk where few members have both.

    Parameters
    ----------
    interactions : float32 CSR, shape (n_members, n_titles)
    shrinkage : float
        Added to the product of lengths: a pair of rare titles keeps little of its cosine.
    neighbours : int
        How many others each target title keeps; of equally similar ones those of lower rows.

    References
    ----------
    Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
    """
    if neighbours < 1:
        raise ConfigError(f"at least 1 neighbour must be kept, got {neighbours}")
    wide: Wide = interactions.astype(np.float64)
    columns: Wide = sp.csr_array(wide.T)
    lengths = np.sqrt(np.bincount(wide.indices, wide.data**2, minlength=wide.shape[1]))
    parts = []
    for start in range(0, wide.shape[1], 1024):
        both: Wide = sp.csr_array(columns[start : start + 1024] @ wide)
        both.sort_indices()
        row = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr)) + start
        both.data /= lengths[row] * lengths[both.indices] + shrinkage
        both.data[both.indices == row] = 0.0
        parts.append(_largest(both, neighbours))
    by_target = sp.csr_array(sp.vstack(parts, format="csr"))
    weights = sp.csr_array(by_target.T)
    weights.sort_indices()
    return TitleWeights(weights)


def successors(
    history: History,
    *,
    window: int = 20,
    half_life_titles: float = 8.0,
    backward: float = 0.2,
    source_exponent: float = 0.5,
    target_exponent: float = 0.3,
    shrinkage: float = 10.0,
    neighbours: int = NEIGHBOURS,
) -> TitleWeights:
    r"""What members watch in the titles after each title: a Markov chain that skips.

    .. math:: B_{ij} = \frac{\sum_u \sum_{k < l \le k + w} 2^{-(l - k - 1) / h}
        [u_k = i, u_l = j]}{d_i^a d_j^b + s}

    over the titles :math:`u_1, u_2, \dots` of each member in the order of time, with :math:`d` the
    counts of titles. The same pairs in the other direction count `backward` times as much.

    Parameters
    ----------
    history : History
        Titles of one instant are in the order of their rows.
    window : int
        How many titles after a title are its successors.
    half_life_titles : float
        A successor so many titles later counts half.
    neighbours : int
        The largest weights that each row keeps; of equal ones those of lower columns.

    References
    ----------
    Rendle, Freudenthaler and Schmidt-Thieme, "Factorizing personalized Markov chains for
    next-basket recommendation", WWW 2010, for the chain; Guthrie et al., "A closer look at
    skip-gram modelling", LREC 2006, for the skips.
    """
    if window < 1 or neighbours < 1:
        raise ConfigError(
            f"window and neighbours must be at least 1, got {window} and {neighbours}"
        )
    by_member = np.argsort(history.members, kind="stable")
    members, titles = history.members[by_member], history.titles[by_member]
    n_titles = history.shape[1]
    pairs: Wide = sp.csr_array((n_titles, n_titles), dtype=np.float64)
    for gap in range(1, min(window, len(titles) - 1) + 1):
        same = members[gap:] == members[:-gap]
        weights = np.full(int(same.sum()), np.exp2(-(gap - 1) / half_life_titles))
        entries = (weights, (titles[:-gap][same], titles[gap:][same]))
        pairs = sp.csr_array(pairs + sp.csr_array(entries, shape=pairs.shape))
    pairs = sp.csr_array(pairs + backward * sp.csr_array(pairs.T))
    pairs.sort_indices()
    popular = np.maximum(np.bincount(titles, minlength=n_titles), 1).astype(np.float64)
    row = np.repeat(np.arange(n_titles), np.diff(pairs.indptr))
    pairs.data /= (
        popular[row] ** source_exponent * popular[pairs.indices] ** target_exponent + shrinkage
    )
    return TitleWeights(_largest(pairs, neighbours))


def _largest(matrix: Wide, kept: int) -> sp.csr_array[np.float32]:
    """Each row's `kept` largest entries; of equal ones those of lower columns, which ascend."""
    keep = matrix.data > 0
    for row in np.flatnonzero(np.diff(matrix.indptr) > kept):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        values = matrix.data[part]
        bound = np.partition(values, len(values) - kept)[len(values) - kept]
        above, level = values > bound, np.flatnonzero(values == bound)
        above[level[: kept - int(above.sum())]] = True
        keep[part] &= above
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[keep]
    return _matrix(matrix.data[keep], rows, matrix.indices[keep], matrix.shape)


def _matrix(
    values: NDArray[np.float64],
    rows: NDArray[np.integer],
    columns: NDArray[np.integer],
    shape: tuple[int, int],
) -> sp.csr_array[np.float32]:
    return sp.csr_array((values.astype(np.float32), (rows, columns)), shape=shape)


def _row_sums(matrix: Wide) -> NDArray[np.float64]:
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.bincount(row, matrix.data, minlength=matrix.shape[0]).astype(np.float64)


def _scaled(matrix: Wide, factors: NDArray[np.float64]) -> Wide:
    """Rows times `factors`."""
    scaled = matrix.copy()
    scaled.data = matrix.data * np.repeat(factors, np.diff(matrix.indptr))
    return scaled


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a symmetric positive definite matrix, whose memory is used."""
    factor, failed = scipy.linalg.lapack.dpotrf(matrix.T, lower=True, overwrite_a=True)
    if failed == 0:
        inverse, failed = scipy.linalg.lapack.dpotri(factor, lower=True, overwrite_c=True)
    if failed != 0:
        raise ConfigError("the Gram matrix is not positive definite: raise the ridge penalty")
    lower = np.tril_indices_from(inverse, -1)
    inverse.T[lower] = inverse[lower]
    return np.asarray(inverse, np.float64)


def _check_penalty(penalty: float) -> None:
    if not penalty > 0:
        raise ConfigError(f"a ridge penalty must be above 0, got {penalty}")
