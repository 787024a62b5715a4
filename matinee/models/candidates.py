"""The titles that may enter a member's list: each part's best, and what all parts say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import DataError
from matinee.models.parts import Part, Parts

Rows: TypeAlias = NDArray[np.intp]

PER_PART = 50
"""Each part's best titles that are candidates."""

SMALLEST_Z = -5.0

FLAT = 1e-6
"""Scores that differ by less than so much of their size are taken to be equal."""

RANK_SCALE = 3.0
"""A part's rank counts by `log(1 + rank / 3)`: the first three places differ most."""


@dataclass(frozen=True)
class Candidates:
    """The titles that may enter the slates of a block of members, and what each part says of them.

    Candidates of one member are neighbours, titles ascending: `titles[indptr[i]:indptr[i + 1]]`.
    """

    rows: Rows
    """intp, shape (n_rows,): the members."""

    indptr: NDArray[np.intp]
    """intp, shape (n_rows + 1,)."""

    titles: NDArray[np.intp]
    """intp, shape (n_candidates,)."""

    features: NDArray[np.float32]
    """float32, shape (n_candidates, 2 * n_parts): the spreads of all parts, then the ranks."""

    @property
    def row(self) -> NDArray[np.intp]:
        """Which of `rows` each candidate is of: intp, shape (n_candidates,)."""
        return np.repeat(np.arange(len(self.rows)), np.diff(self.indptr))


def candidates(
    parts: Parts,
    rows: Rows,
    *,
    excluded: sp.csr_array[np.bool_],
    allowed: NDArray[np.bool_] | None = None,
    per_part: int = PER_PART,
    also: Rows | None = None,
    at_least: int = 0,
) -> Candidates:
    """The union of each part's best titles, with two features a part.

    The spread is `asinh(z)`, `z` the score's distance from its mean over the member's titles, in
    standard deviations, -5 at least. The rank is
    `log((1 + per_part / 3) / (1 + rank / 3))` with the rank among the candidates from 0, of equal
    ones the mean: positive for those that the part would list itself. A part that needs history
    says 0 of members without, and so does one whose scores are all equal.

    Parameters
    ----------
    rows : intp, shape (n_rows,)
        A block of members: some hundreds, for memory is 4 bytes x n_rows x n_titles a part.
    excluded : bool CSR, shape (n_rows, n_titles)
        Seen titles and others that this member is not shown.
    allowed : bool, shape (n_titles,) or (n_rows, n_titles), optional
        Titles that may be shown.
    also : intp, shape (n_rows,), optional
        One title of each member that becomes a candidate in any case, to explain its score.
    at_least : int
        Members with fewer candidates get further open titles, the best of the first part, so that
        no list is short where all parts know little.

    Raises
    ------
    DataError
        If a part's scores are not finite.
    """
    n_rows, n_titles = len(rows), parts.history.shape[1]
    block = _Block.of(n_rows, n_titles, _closed(excluded, allowed, n_titles))
    silent = parts.history.lengths()[rows] == 0
    chosen = np.zeros(n_rows * n_titles, np.bool_)
    forced = np.empty(0, np.intp) if also is None else np.arange(n_rows) * n_titles + also
    chosen[forced] = True
    scored = []
    for name, part in parts.by_name.items():
        own = _scored(name, part, rows, block, silent, forced)
        columns = np.arange(n_titles)
        if part.same_for_all:
            first = np.argsort(-part.scores(rows[:1])[0], kind="stable")
            columns = np.sort(first[: per_part + n_titles - int(block.count.min())])
        some = np.take(own.scores, columns, axis=1)
        best = _best(some, per_part, own.scale > 0, own.least)
        chosen[best // len(columns) * n_titles + columns[best % len(columns)]] = True
        scored.append(own)
    if at_least:
        _fill_up(chosen.reshape(n_rows, n_titles), scored[0].scores, at_least)
    place = np.flatnonzero(chosen)
    row, titles = np.divmod(place, n_titles)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_rows))])
    features = _features(scored, place, row, indptr, forced, per_part)
    return Candidates(rows, indptr, titles, features)


@dataclass(frozen=True)
class _Block:
    """Which titles a block of members may be shown."""

    n_titles: int

    closed: NDArray[np.intp]
    """Places, `row * n_titles + title`, of titles that are not shown."""

    row: NDArray[np.intp]
    """The row of each of them."""

    count: NDArray[np.intp]
    """intp, shape (n_rows,): titles that may be shown, 1 at least."""

    @classmethod
    def of(cls, n_rows: int, n_titles: int, closed: NDArray[np.intp]) -> _Block:
        row = closed // n_titles
        count = np.maximum(n_titles - np.bincount(row, minlength=n_rows), 1)
        return cls(n_titles, closed, row, count)


@dataclass(frozen=True)
class _Scored:
    """What one part says of a block."""

    scores: NDArray[np.float32]
    """float32, shape (n_rows, n_titles): -inf for titles that are not shown."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    """float64, shape (n_rows,): 1 / standard deviation; 0 where the part says nothing."""

    least: NDArray[np.float32]
    """float32, shape (n_rows,): the least score of any title, shown or not."""

    of_forced: NDArray[np.float32]
    """The scores of forced candidates, which may be of titles that are not shown."""


def _scored(
    name: str,
    part: Part,
    rows: Rows,
    block: _Block,
    silent: NDArray[np.bool_],
    forced: NDArray[np.intp],
) -> _Scored:
    """A part's scores, and their mean and spread over the titles that may be shown."""
    n_rows, closed = len(rows), block.closed
    scores = np.array(part.scores(rows), np.float32, order="C")
    hidden = scores.ravel()[closed].astype(np.float64)
    sums = scores.sum(axis=1, dtype=np.float64)
    squares = np.einsum("ij,ij->i", scores, scores, dtype=np.float64)
    mean = (sums - np.bincount(block.row, hidden, minlength=n_rows)) / block.count
    if not np.isfinite(squares).all():
        raise DataError(f"the part {name} has scores that are not finite: its model diverged")
    square = (squares - np.bincount(block.row, hidden**2, minlength=n_rows)) / block.count
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    known = spread > FLAT * np.sqrt(np.maximum(squares / block.n_titles, 0.0))
    if part.needs_history:
        known &= ~silent
    least, of_forced = scores.min(axis=1), scores.ravel()[forced]
    scores.ravel()[closed] = -np.inf
    scale = np.divide(1.0, spread, out=np.zeros(n_rows), where=known)
    return _Scored(scores, mean, scale, least, of_forced)


def _features(
    scored: Sequence[_Scored],
    place: NDArray[np.intp],
    row: NDArray[np.intp],
    indptr: NDArray[np.intp],
    forced: NDArray[np.intp],
    per_part: int,
) -> NDArray[np.float32]:
    """Spread and rank of each candidate by each part: float32, shape (n_candidates, 2 n_parts)."""
    n_parts = len(scored)
    features = np.empty((len(place), 2 * n_parts), np.float32)
    for column, part in enumerate(scored):
        own = part.scores.ravel()[place]
        own[np.searchsorted(place, forced)] = part.of_forced
        z = (own - part.mean[row]) * part.scale[row]
        features[:, column] = np.arcsinh(np.maximum(z, SMALLEST_Z))
        ranks = _rank_feature(own, row, indptr, per_part)
        features[:, n_parts + column] = np.where(part.scale[row] > 0, ranks, 0.0)
    return features


def _fill_up(chosen: NDArray[np.bool_], scores: NDArray[np.float32], at_least: int) -> None:
    """Choose further titles, -inf ones never, for rows with fewer than `at_least`, in place."""
    for row in np.flatnonzero(chosen.sum(axis=1) < at_least):
        order = np.argsort(-scores[row], kind="stable")
        further = order[~chosen[row, order] & (scores[row, order] > -np.inf)]
        chosen[row, further[: at_least - int(chosen[row].sum())]] = True


def _closed(
    excluded: sp.csr_array[np.bool_], allowed: NDArray[np.bool_] | None, n_titles: int
) -> NDArray[np.intp]:
    """Places, `row * n_titles + title`, of titles that a member may not be shown; distinct."""
    row = np.repeat(np.arange(excluded.shape[0]), np.diff(excluded.indptr))
    places = row * n_titles + excluded.indices
    if allowed is None:
        return np.unique(places)
    mask = np.broadcast_to(~allowed, excluded.shape).copy()
    mask.ravel()[places] = True
    return np.flatnonzero(mask)


def _best(
    scores: NDArray[np.float32], count: int, known: NDArray[np.bool_], least: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Places of each known row's `count` best; of equal ones those of lower columns.

    None of a row's `least` value are among them: a linear model has one value, 0, for all titles
    that it knows nothing of.
    """
    n_rows, n_titles = scores.shape
    kept = min(count, n_titles)
    # As in `ranking`: the k-th best of the groups' maxima is a bound that the k-th best reaches.
    group = max(1, min(20, n_titles // kept))
    n_groups = n_titles // group
    maxima = scores[:, : n_groups * group].reshape(n_rows, group, n_groups).max(axis=1)
    bound = np.partition(maxima, n_groups - kept, axis=1)[:, n_groups - kept]
    bound = np.maximum(bound, np.finfo(np.float32).min)
    bound = np.where(bound <= least, np.nextafter(least, np.float32(np.inf)), bound)
    bound[~known] = np.inf
    row, title = np.divmod(np.flatnonzero(scores >= bound[:, None]), n_titles)
    order = np.lexsort((title, -scores[row, title], row))
    counts = np.bincount(row, minlength=n_rows)
    first = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts) < kept
    best: NDArray[np.intp] = row[order][first] * n_titles + title[order][first]
    return best


def _rank_feature(
    scores: NDArray[np.float32], row: NDArray[np.intp], indptr: NDArray[np.intp], per_part: int
) -> NDArray[np.float64]:
    """Of scores that are grouped by row."""
    order = np.lexsort((-scores, row))
    ordered, of = scores[order], row[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (ordered[1:] != ordered[:-1]) | (of[1:] != of[:-1])
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(order))
    middle = np.repeat((starts + ends - 1) / 2, ends - starts) - indptr[of]
    ranks = np.empty(len(order))
    ranks[order] = middle
    return np.log((1 + per_part / RANK_SCALE) / (1 + ranks / RANK_SCALE))
