"""Why a title is in a slate, from the score itself: codes here, words elsewhere.

A title's vector is the weighted sum of its features' vectors, biases included, so a score is the
exact sum of one contribution per feature: `score(m, t) = sum over g of w(t, g) * (m . e(g))`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import ranking
from matinee.errors import ConfigError

_BLOCK = 256


class Kind(IntEnum):
    """What a reason points at."""

    NONE = 0
    """Nothing that could be told: the title is liked by people alike."""

    FEATURE = 1
    """A column of the title features: a genre, a director."""

    TITLE = 2
    """A title that the member liked: "because you watched"."""


@dataclass(frozen=True)
class Reasons:
    """One reason per place of a slate; all arrays have the slates' shape."""

    kind: NDArray[np.int8]
    """A `Kind`; NONE in empty places."""

    index: NDArray[np.intp]
    """Feature column or title row, by kind; -1 for NONE."""

    strength: NDArray[np.float32]
    """Contribution to the score (FEATURE) or cosine (TITLE); 0 for NONE."""


def contributions(
    member_vectors: NDArray[np.float32],
    titles: NDArray[np.intp],
    title_features: sp.csr_array[np.float32],
    title_embeddings: NDArray[np.float32],
) -> sp.csr_array[np.float32]:
    """What each feature of a title adds to its score: rows sum to the scores, exactly.

    Parameters
    ----------
    member_vectors : float32, shape (n, n_dimensions)
    titles : intp, shape (n,)
        One title row for each member vector.
    title_features : float32 CSR, shape (n_titles, n_features)
    title_embeddings : float32, shape (n_features, n_dimensions)
        With the bias as last column, as in `HybridModel`.

    Returns
    -------
    float32 CSR, shape (n, n_features)
        Identity columns hold what is known of the title beyond its content.
    """
    if len(member_vectors) != len(titles):
        raise ConfigError(f"{len(member_vectors)} members for {len(titles)} titles: pair them")
    weighted = title_features[titles]
    pair = np.repeat(np.arange(len(titles)), np.diff(weighted.indptr))
    learned = np.einsum(
        "ij,ij->i", member_vectors[pair], title_embeddings[weighted.indices], dtype=np.float64
    )
    parts = (weighted.data * learned).astype(np.float32)
    return sp.csr_array((parts, weighted.indices, weighted.indptr), shape=weighted.shape)


def best_reasons(
    member_vectors: NDArray[np.float32],
    slates: NDArray[np.intp],
    title_features: sp.csr_array[np.float32],
    title_embeddings: NDArray[np.float32],
    *,
    tellable: NDArray[np.bool_],
    liked: sp.csr_array[np.float32],
    minimum_cosine: float = 0.5,
) -> Reasons:
    """The strongest reason that can be told for each place of each slate.

    The liked title that is most like the one shown, where they are alike enough; else the feature
    of the shown title that adds most to its score, if it adds anything.

    Parameters
    ----------
    member_vectors, slates
        One row per member; slates padded with -1.
    title_features, title_embeddings
        As for `contributions`.
    tellable : bool, shape (n_features,)
        Features that may be told: not identity, nothing sensitive.
    liked : float32 CSR, shape (n_members, n_titles)
        What each member liked; "because you watched" names nothing else.
    minimum_cosine : float
        How alike two titles' vectors must be. Above 1: features only.

    Notes
    -----
    Works in blocks of members. Cosines leave the bias out: two hits are not alike for being hits.
    """
    kind = np.zeros(slates.shape, np.int8)
    index = np.full(slates.shape, -1, np.intp)
    strength = np.zeros(slates.shape, np.float32)
    unit = _unit(title_features @ title_embeddings)
    columns = np.flatnonzero(tellable)
    told, learned = title_features[:, columns], title_embeddings[columns]
    told.sort_indices()
    for start in range(0, len(slates), _BLOCK):
        block = slice(start, start + _BLOCK)
        member, place = np.nonzero(slates[block] >= 0)
        weighted = told[slates[block][member, place]]
        pair = np.repeat(np.arange(len(member)), np.diff(weighted.indptr))
        adds = member_vectors[block] @ learned.T
        cell, column, amount = _largest(
            pair, weighted.indices, weighted.data * adds[member[pair], weighted.indices]
        )
        helps = amount > 0
        at = member[cell[helps]] + start, place[cell[helps]]
        kind[at], index[at], strength[at] = (
            Kind.FEATURE,
            columns[column[helps]],
            amount[helps],
        )
    for row in range(len(slates)):
        mine = liked.indices[liked.indptr[row] : liked.indptr[row + 1]]
        places = np.flatnonzero(slates[row] >= 0)
        if not len(mine) or not len(places):
            continue
        alike = unit[slates[row, places]] @ unit[mine].T
        nearest = alike.argmax(axis=1)
        cosine = alike[np.arange(len(places)), nearest]
        close = cosine >= minimum_cosine
        kind[row, places[close]] = Kind.TITLE
        index[row, places[close]] = mine[nearest[close]]
        strength[row, places[close]] = cosine[close]
    return Reasons(kind, index, strength)


def similar_titles(
    title_vectors: NDArray[np.float32], k: int, *, allowed: NDArray[np.bool_] | None = None
) -> ranking.Slates:
    """The `k` nearest other titles of each title by cosine of their vectors, biases left out.

    Parameters
    ----------
    title_vectors : float32, shape (n_titles, n_dimensions)
        With the bias as last column.
    allowed : bool, shape (n_titles,), optional
        Titles that may be neighbours: not retired, say.

    Returns
    -------
    As `ranking.best_titles`. A title that nothing is known of has no neighbours and is none.
    """
    unit = _unit(title_vectors)
    known = np.linalg.norm(unit, axis=1) > 0
    itself = sp.eye_array(len(unit), dtype=np.bool_, format="csr")
    neighbours = known.copy()
    if allowed is not None:
        neighbours &= allowed
    rows, cosines = ranking.best_titles(unit, unit, k, excluded=itself, allowed=neighbours)
    rows[~known], cosines[~known] = ranking.NONE, -np.inf
    return rows, cosines


def _unit(title_vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of length 1 without their bias; zero stays zero."""
    directions = title_vectors[:, :-1]
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    return (directions / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _largest(
    row: NDArray[np.intp], column: NDArray[np.integer], value: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.integer], NDArray[np.float32]]:
    """The largest entry of each row that has any, given by row, then column.

    Of equal entries the one in the lower column.
    """
    if not len(row):
        return row, column, value
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    largest = np.repeat(np.maximum.reduceat(value, starts), np.diff(starts, append=len(row)))
    ties = np.flatnonzero(value == largest)
    first = ties[np.diff(row[ties], prepend=-1) > 0]
    return row[first], column[first], value[first]
