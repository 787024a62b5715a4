"""Exact top-k titles of every member from vectors. Arrays in, arrays out."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError, DataError

NONE = -1
"""The value of empty places at the end of a slate."""

Slates: TypeAlias = tuple[NDArray[np.intp], NDArray[np.float32]]

_GROUP = 20

_BLOCK = 128

_KEY_BITS = (7, 32, 25)  # member within a block, score, title: one sortable uint64


def best_titles(
    member_vectors: NDArray[np.float32],
    title_vectors: NDArray[np.float32],
    k: int,
    *,
    excluded: sp.csr_array[np.bool_] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    block: int = _BLOCK,
) -> Slates:
    """The `k` titles with the highest dot product for each member, best first.

    Ties go to the lower title row, so equal input always gives equal output.

    Parameters
    ----------
    member_vectors : float32, shape (n_members, n_dimensions)
    title_vectors : float32, shape (n_titles, n_dimensions)
        Biases are one more dimension, against a 1 on the members' side.
    k : int
        Length of a slate; may exceed the number of titles.
    excluded : bool CSR, shape (n_members, n_titles), optional
        Titles that this member is not shown: seen ones.
    allowed : bool, shape (n_titles,) or (n_members, n_titles), optional
        Titles that may be shown. Call once per group of members with the same country and
        maturity limit: the first form then costs nothing.
    block : int
        Members scored at once, 1 to 128. Changes the memory used, not the result.

    Returns
    -------
    rows : intp, shape (n_members, k)
        Title rows, or -1 where no title is left.
    scores : float32, shape (n_members, k)
        Comparable within a row only; -inf beside -1.

    Raises
    ------
    DataError
        If a vector or a score is NaN or infinite: the model has diverged.
    ConfigError
        If `k` or `block` is out of range, or shapes disagree.

    Notes
    -----
    Titles are divided into groups of 20. The k-th best of the groups' maxima is a lower bound of
    the k-th best score. Only groups that reach it are searched, and only scores that reach it are
    sorted: a few more than `k`. The result is exact, and the matrix product is most of the cost.
    The last block is filled up with zeros, so that a member's scores do not depend, not even in
    the last bit, on the other members of the block.
    """
    _check(member_vectors, title_vectors, k, block)
    n_members, n_titles = len(member_vectors), len(title_vectors)
    rows = np.full((n_members, k), NONE, dtype=np.intp)
    scores = np.full((n_members, k), -np.inf, dtype=np.float32)
    place = np.arange(n_titles)
    if allowed is not None and allowed.ndim == 1:
        place = np.flatnonzero(allowed)
        title_vectors = title_vectors[place]
        excluded = None if excluded is None else excluded[:, place]
        allowed = None
    if len(place) == 0 or n_members == 0:
        return rows, scores

    kept = min(k, len(place))
    group = max(1, min(_GROUP, len(place) // kept))
    n_groups = -(-len(place) // group)
    width = group * n_groups
    titles = np.zeros((width, title_vectors.shape[1]), np.float32)
    titles[: len(place)] = title_vectors
    padded = np.zeros((block, title_vectors.shape[1]), np.float32)
    buffer = np.empty((block, width), np.float32)

    for start in range(0, n_members, block):
        stop = min(start + block, n_members)
        size = stop - start
        padded[:size] = member_vectors[start:stop]
        padded[size:] = 0
        np.matmul(padded, titles.T, out=buffer)
        block_scores = buffer[:size]
        block_scores[:, len(place) :] = -np.inf
        if excluded is not None:
            first, last = excluded.indptr[start], excluded.indptr[stop]
            counts = np.diff(excluded.indptr[start : stop + 1])
            block_scores[np.repeat(np.arange(size), counts), excluded.indices[first:last]] = -np.inf
        if allowed is not None:
            block_scores[:, : len(place)][~allowed[start:stop]] = -np.inf
        member, title, score = _candidates(block_scores.reshape(size, group, n_groups), kept)
        _fill(rows[start:stop], scores[start:stop], member, place[title], score)
    return rows, scores


def scores_of(
    rows: NDArray[np.intp],
    member_vectors: NDArray[np.float32],
    title_vectors: NDArray[np.float32],
    *,
    block: int = 1024,
) -> NDArray[np.float32]:
    """The scores of some titles, summed in 64 bits: exact up to one rounding to 32 bits.

    `best_titles` computes them in 32 bits, which is fast, with errors of 1e-5 for long vectors.

    Parameters
    ----------
    rows : intp, shape (n_members, k)
        Title rows, or -1.
    member_vectors, title_vectors, block
        As for `best_titles`.

    Returns
    -------
    float32, shape (n_members, k); -inf beside -1.
    """
    scores = np.full(rows.shape, -np.inf, np.float32)
    titles = title_vectors.astype(np.float64)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        members = member_vectors[part].astype(np.float64)
        exact = np.einsum("md,mkd->mk", members, titles[rows[part]])
        scores[part] = np.where(rows[part] == NONE, -np.inf, exact)
    return scores


def best_of_scores(
    scores: NDArray[np.floating],
    groups: NDArray[np.intp],
    k: int,
    *,
    excluded: sp.csr_array[np.bool_] | None = None,
    allowed: NDArray[np.bool_] | None = None,
) -> Slates:
    """The `k` best titles of each member by the scores of the member's group.

    Parameters
    ----------
    scores : float, shape (n_groups, n_titles)
        For example popularity: one row per group, shared by its members.
    groups : intp, shape (n_members,)
        The row of `scores` of each member.
    k, excluded, allowed
        As for `best_titles`; so are the result and the errors.
    """
    n_groups = len(scores)
    wrong = (groups < 0) | (groups >= n_groups)
    if wrong.any():
        raise ConfigError(
            f"{wrong.sum()} members are in a group outside 0 to {n_groups - 1}: each needs one"
        )
    one_hot = np.zeros((len(groups), n_groups), np.float32)
    one_hot[np.arange(len(groups)), groups] = 1
    columns = np.ascontiguousarray(scores.T, dtype=np.float32)
    return best_titles(one_hot, columns, k, excluded=excluded, allowed=allowed)


def _candidates(
    grouped: NDArray[np.float32], kept: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Every (member, title, score) at or above the bound, by member, then score, then title.

    `grouped` has shape (n_members, group, n_groups): title `j` is in group `j % n_groups`, so that
    maxima are taken along memory.
    """
    _, group, n_groups = grouped.shape
    maxima = grouped.max(axis=1)
    if not (maxima < np.inf).all():  # false for NaN too
        raise DataError("scores are not finite: the model has diverged; lower its learning rate")
    bound = np.partition(maxima, n_groups - kept, axis=1)[:, n_groups - kept]
    # With fewer than `kept` titles left the bound is -inf; everything finite is a candidate.
    bound = np.maximum(bound, np.finfo(np.float32).min)
    member, column = np.divmod(np.flatnonzero(maxima >= bound[:, None]), n_groups)
    inside = grouped[member, :, column]
    high = np.flatnonzero(inside >= bound[member, None])  # flat: five times as fast as nonzero
    which, depth = np.divmod(high, group)
    return _ordered(member[which], depth * n_groups + column[which], inside.reshape(-1)[high])


def _ordered(
    member: NDArray[np.intp], title: NDArray[np.intp], score: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Sorted by member, then score from high to low, then title, in one sort of plain integers."""
    _, score_bits, title_bits = _KEY_BITS
    # Adding zero makes -0.0 a 0.0, its equal. Floats then sort like their bits, once negative
    # ones are flipped whole and the sign of the others is turned over.
    bits = (score + np.float32(0)).view(np.uint32)
    ascending = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    key = member.astype(np.uint64) << np.uint64(score_bits + title_bits)
    key |= (~ascending).astype(np.uint64) << np.uint64(title_bits)
    key |= title.astype(np.uint64)
    key.sort()
    ascending = ~(key >> np.uint64(title_bits)).astype(np.uint32)
    bits = np.where(ascending >> 31, ascending ^ np.uint32(1 << 31), ~ascending)
    return (
        (key >> np.uint64(score_bits + title_bits)).astype(np.intp),
        (key & np.uint64((1 << title_bits) - 1)).astype(np.intp),
        bits.view(np.float32),
    )


def _fill(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    member: NDArray[np.intp],
    title: NDArray[np.intp],
    score: NDArray[np.float32],
) -> None:
    """Write each member's first candidates into the member's slate."""
    counts = np.bincount(member, minlength=len(rows))
    rank = np.arange(len(member)) - np.repeat(np.cumsum(counts) - counts, counts)
    within = rank < rows.shape[1]
    rows[member[within], rank[within]] = title[within]
    scores[member[within], rank[within]] = score[within]


def _check(
    member_vectors: NDArray[np.float32], title_vectors: NDArray[np.float32], k: int, block: int
) -> None:
    member_bits, _, title_bits = _KEY_BITS
    if k < 1:
        raise ConfigError(f"a slate has at least 1 place, got {k}")
    if not 1 <= block <= 1 << member_bits:
        raise ConfigError(f"block must be 1 to {1 << member_bits} members, got {block}")
    if len(title_vectors) > 1 << title_bits:
        raise ConfigError(f"{len(title_vectors)} titles: at most {1 << title_bits} can be ranked")
    if member_vectors.shape[1] != title_vectors.shape[1]:
        raise ConfigError(
            f"members have {member_vectors.shape[1]} dimensions, titles {title_vectors.shape[1]}"
        )
    for name, vectors in (("member", member_vectors), ("title", title_vectors)):
        wrong = ~np.isfinite(vectors).all(axis=1)
        if wrong.any():
            raise DataError(
                f"{wrong.sum()} {name} vectors are not finite (first: row {np.argmax(wrong)}): "
                "the model has diverged; lower its learning rate"
            )
