"""Reasons for the titles of a slate, from contributions to the score; `reason_text` has the text.

A title's vector is the weighted sum of its features' vectors, biases included. A member's vector is
the mean member's vector plus the member's own difference. So a score is an exact sum of the mean
member's score and one personal contribution per feature,

`score(m, t) = mean . v(t) + sum over g of w(t, g) * ((m - mean) . e(g))`.

Only personal contributions are reasons: "because you like drama" is for members who like drama more
than others do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.slates import ranking

ANCHORS = 32
"""How many titles of a member's interactions reasons may name: those with the largest weight."""

FATIGUE = 0.7
"""The factor on a reason's strength for each earlier use in the same slate."""

MONOTONY = 0.9
"""The factor for each earlier reason of the same kind in the slate."""

BOTH = 0.8
"""A second title is named when its strength is at least this share of the first one's."""

CANDIDATES = 3

_BLOCK = 512

_ENTRIES = 32_768


class Kind(IntEnum):
    """The kind of a reason."""

    NONE = 0
    """No personal contribution that may be a reason."""

    FEATURE = 1
    """A column of the title features: a genre, a director."""

    TITLE = 2
    """A title of the member's interactions: "because you watched"."""

    POPULAR = 3
    """The title is popular."""

    NEW = 4
    """The title is new: nobody has watched it yet."""


@dataclass(frozen=True)
class Reasons:
    """One reason per place of a slate; all arrays have the slates' shape."""

    kind: NDArray[np.int8]
    """A `Kind`; NONE in empty places."""

    index: NDArray[np.intp]
    """Feature column or title row, by kind; -1 for NONE."""

    second: NDArray[np.intp]
    """Another title with about the same strength (TITLE); else -1."""

    strength: NDArray[np.float32]
    """The contribution to the score; 0 for NONE."""


def mean_member(
    member_features: sp.csr_array[np.float32], member_embeddings: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The mean of all member vectors, shape (n_dimensions + 1,); it ends in the bias's 1."""
    shares = np.asarray(member_features.sum(axis=0, dtype=np.float64)).reshape(-1)
    mean = shares @ member_embeddings.astype(np.float64) / member_features.shape[0]
    return np.append(mean, 1.0).astype(np.float32)


def anchors(liked: sp.csr_array[np.float32], count: int = ANCHORS) -> NDArray[np.intp]:
    """The titles with the largest weight of each member, intp, shape (n_members, count), -1 padded.

    Of equal weights the first.
    """
    row = np.repeat(np.arange(liked.shape[0]), np.diff(liked.indptr))
    order = np.lexsort((liked.indices, -liked.data, row))
    place = np.arange(len(order)) - liked.indptr[row]
    titles = np.full((liked.shape[0], count), -1, np.intp)
    kept = place < count
    titles[row[kept], place[kept]] = liked.indices[order[kept]]
    return titles


def contributions(
    member_vectors: NDArray[np.float32],
    titles: NDArray[np.intp],
    title_features: sp.csr_array[np.float32],
    title_embeddings: NDArray[np.float32],
    mean_member: NDArray[np.float32],
) -> sp.csr_array[np.float32]:
    """The contribution of each feature of a title to its score: rows sum to the scores, exactly.

    Parameters
    ----------
    member_vectors : float32, shape (n, n_dimensions)
    titles : intp, shape (n,)
        One title row for each member vector.
    title_features : float32 CSR, shape (n_titles, n_features)
    title_embeddings : float32, shape (n_features, n_dimensions)
        With the bias as last column, as in `HybridModel`.
    mean_member : float32, shape (n_dimensions,)
        As the function of that name returns it.

    Returns
    -------
    float32 CSR, shape (n, n_features + 1)
        Identity columns hold the contribution of the title beyond its content; the last column
        holds the mean member's score of the title.
    """
    if len(member_vectors) != len(titles):
        raise ConfigError(f"{len(member_vectors)} members for {len(titles)} titles: pair them")
    weighted = title_features[titles]
    pair = np.repeat(np.arange(len(titles)), np.diff(weighted.indptr))
    own = member_vectors - mean_member
    parts = np.empty(len(pair), np.float32)
    for start in range(0, len(pair), _ENTRIES):
        block = slice(start, start + _ENTRIES)
        learned = title_embeddings[weighted.indices[block]]
        np.einsum("ij,ij->i", own[pair[block]], learned, out=parts[block])
    parts *= weighted.data
    common = title_features @ (title_embeddings @ mean_member)
    n_features = title_features.shape[1]
    return sp.csr_array(
        (
            np.insert(parts, weighted.indptr[1:], common[titles]),
            np.insert(weighted.indices, weighted.indptr[1:], n_features),
            weighted.indptr + np.arange(len(titles) + 1),
        ),
        shape=(len(titles), n_features + 1),
    )


class ReasonFinder:
    """Finds the strongest reasons; what depends on the titles only is computed once.

    Parameters
    ----------
    title_features, title_embeddings, mean_member
        As for `contributions`.
    usable : bool, shape (n_features,)
        Features that may be a reason: none that is sensitive, no identity.
    identity : bool, shape (n_features,)
        Columns of one title each. Their contribution is explained by titles that the member liked.
    minimum_cosine : float
        The least cosine of a liked title with the shown title. Above 1: features only.
    """

    def __init__(
        self,
        title_features: sp.csr_array[np.float32],
        title_embeddings: NDArray[np.float32],
        mean_member: NDArray[np.float32],
        *,
        usable: NDArray[np.bool_],
        identity: NDArray[np.bool_],
        minimum_cosine: float = 0.5,
    ) -> None:
        self._mean_member = mean_member
        self._minimum_cosine = minimum_cosine
        self._columns = np.flatnonzero(usable)
        self._feature_columns, self._weights = _padded(title_features[:, self._columns])
        self._learned = title_embeddings[self._columns, :-1]
        self._own = title_features[:, identity] @ title_embeddings[identity, :-1]
        vectors = title_features @ title_embeddings
        self._vectors, self._unit = vectors[:, :-1], _unit(vectors)
        self._titles_from = title_features.shape[1]

    def best(
        self,
        member_vectors: NDArray[np.float32],
        slates: NDArray[np.intp],
        liked: NDArray[np.intp],
    ) -> Reasons:
        """One reason for each place of each slate.

        Candidates are liked titles, by the contribution of the shown title's identity times their
        cosine, and features of the shown title, by their contribution. A reason that the slate has
        already used counts less each time, so that reasons vary.

        NONE where the sum of the personal contributions is not positive: then the title is in the
        slate because of the mean member's score.

        Parameters
        ----------
        member_vectors, slates
            One row per member; slates padded with -1.
        liked : intp, shape (n_members, n)
            As `anchors` returns them; "because you watched" names no others.
        """
        kind = np.zeros(slates.shape, np.int8)
        index, second = np.full((2, *slates.shape), -1, np.intp)
        strength = np.zeros(slates.shape, np.float32)
        for start in range(0, len(slates), _BLOCK):
            block = slice(start, start + _BLOCK)
            own = member_vectors[block, :-1] - self._mean_member[:-1]
            features = self._feature_candidates(own, slates[block])
            titles = self._title_candidates(own, slates[block], liked[block])
            keys = np.concatenate([features[0], titles[0]], -1)
            adds = np.concatenate([features[1], titles[1]], -1)
            personal = np.einsum("md,mpd->mp", own, self._vectors[slates[block]])
            adds = np.where(personal[:, :, None] > 0, adds, np.float32(0))
            first, other, adds = varied(keys, adds, self._titles_from)
            is_title = first >= self._titles_from
            kind[block] = np.where(is_title, Kind.TITLE, np.where(first >= 0, Kind.FEATURE, 0))
            index[block] = np.where(is_title, first - self._titles_from, first)
            second[block] = np.where(other >= 0, other - self._titles_from, -1)
            strength[block] = adds
        return Reasons(kind, index, second, strength)

    def _feature_candidates(
        self, own: NDArray[np.float32], slates: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Keys and strengths of the strongest features, shape (n, places, CANDIDATES)."""
        if not len(self._columns):
            return _no_candidates(slates)
        adds = own @ self._learned.T
        column = self._feature_columns[slates]
        amount = self._weights[slates] * adds[np.arange(len(own))[:, None, None], column]
        amount[slates < 0] = 0
        place, strength = largest(amount)
        return self._columns[np.take_along_axis(column, place, -1)], strength

    def _title_candidates(
        self, own: NDArray[np.float32], slates: NDArray[np.intp], liked: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The same for liked titles; their keys start after those of features."""
        if not liked.shape[1]:
            return _no_candidates(slates)
        cosine = self._unit[slates] @ self._unit[liked].swapaxes(1, 2)
        known = (slates[:, :, None] >= 0) & (liked[:, None, :] >= 0)
        known &= (slates[:, :, None] != liked[:, None, :]) & (cosine >= self._minimum_cosine)
        adds = np.einsum("md,mpd->mp", own, self._own[slates])
        place, strength = largest(np.where(known, cosine * adds[:, :, None], np.float32(0)))
        members = np.arange(len(liked))[:, None, None]
        return self._titles_from + liked[members, place], strength


def similar_titles(
    title_vectors: NDArray[np.float32], k: int, *, allowed: NDArray[np.bool_] | None = None
) -> ranking.Slates:
    """The `k` nearest other titles of each title by cosine of their vectors, biases left out.

    Parameters
    ----------
    title_vectors : float32, shape (n_titles, n_dimensions)
        With the bias as last column.
    allowed : bool, shape (n_titles,), optional
        Titles that may be neighbours, for example those not retired.

    Returns
    -------
    As `ranking.best_titles`. A title with a zero vector has no neighbours and is none.
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


def _padded(
    features: sp.csr_array[np.float32],
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Columns and weights of each row as dense arrays; missing ones have weight 0."""
    features.sort_indices()
    counts = np.diff(features.indptr)
    row = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(row)) - features.indptr[row]
    columns = np.zeros((len(counts), max(1, counts.max(initial=0))), np.intp)
    weights = np.zeros(columns.shape, np.float32)
    columns[row, place], weights[row, place] = features.indices, features.data
    return columns, weights


def _no_candidates(slates: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    shape = (*slates.shape, 0)
    return np.empty(shape, np.intp), np.empty(shape, np.float32)


def largest(
    amount: NDArray[np.float32],
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Places and values of the largest entries along the last axis; the first of equals."""
    left = amount.copy()
    count = min(CANDIDATES, amount.shape[-1])
    place = np.empty((*amount.shape[:-1], count), np.intp)
    for nth in range(count):
        best = left.argmax(axis=-1)[..., None]
        place[..., nth] = best[..., 0]
        np.put_along_axis(left, best, np.float32(-np.inf), -1)
    return place, np.take_along_axis(amount, place, -1)


def varied(
    keys: NDArray[np.intp], adds: NDArray[np.float32], titles_from: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """The reason of each place of the slates: first and second key, and the first's strength."""
    n_members, n_places, _ = keys.shape
    first, second = np.full((2, n_members, n_places), -1, np.intp)
    strength = np.zeros((n_members, n_places), np.float32)
    members = np.arange(n_members)
    for place in range(n_places):
        key, add = keys[:, place], adds[:, place]
        used = np.zeros(key.shape, np.intp)
        for before in (*first[:, :place].T, *second[:, :place].T):
            used += key == before[:, None]
        is_title = key >= titles_from
        of_titles = (first[:, :place] >= titles_from).sum(axis=1)[:, None]
        of_features = (first[:, :place] >= 0).sum(axis=1)[:, None] - of_titles
        same_kind = np.where(is_title, of_titles, of_features)
        factor = np.float32(FATIGUE) ** used * np.float32(MONOTONY) ** same_kind
        value = np.where(add > 0, add * factor, 0)
        best = value.argmax(axis=1)
        helps = value[members, best] > 0
        chosen, amount = key[members, best], add[members, best]
        first[:, place] = np.where(helps, chosen, -1)
        strength[:, place] = np.where(helps, amount, 0)
        # The least used of the other titles with about the same strength.
        also = is_title & (key != chosen[:, None]) & (add >= BOTH * amount[:, None])
        value = np.where(also & (helps & (chosen >= titles_from))[:, None], value, 0)
        other = value.argmax(axis=1)
        second[:, place] = np.where(value[members, other] > 0, key[members, other], -1)
    return first, second, strength
