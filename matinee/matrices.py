"""Builds the sparse matrices that models are trained on from tables.

The same rows in any order give the same matrix, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError, DataError
from matinee.vocabulary import Vocabulary

IDENTITY = "identity"
"""The feature family of ids: one column per member or title."""

RECENCY_FLOOR = 0.25
"""The least share of its weight that a signal keeps, however old it is: tastes last."""

LARGEST_WEIGHT = 1.5
"""The largest weight of one interaction when the mean is 1: daily plays of one film say little more
than one play. A limit of 4 ranks no better (NDCG@10 on ML-100K .3173, .3192 with 1.5) and triples
the effect of accounts that push a title; see `models.new_account_cap`."""

_MICRO = 1e6
"""Signals are summed as whole millionths: such sums are exact, whatever order they come in."""

Labels: TypeAlias = Sequence[Sequence[str] | str | None] | pa.Array | pa.ChunkedArray
"""One row's values of a feature family: several, one, or none."""


@dataclass(frozen=True)
class Features:
    """Features of members or titles: a matrix with named columns."""

    matrix: sp.csr_array[np.float32]
    """float32, shape (n_rows, n_features)."""

    names: tuple[str, ...]
    """One per column: `genre=Drama`."""

    families: tuple[str, ...]
    """One per column: `genre`, or `identity`."""

    def columns_of(self, *families: str) -> NDArray[np.bool_]:
        """Which columns belong to `families`."""
        return np.array([family in families for family in self.families], dtype=np.bool_)


def features(
    ids: Vocabulary,
    families: Mapping[str, Labels],
    *,
    identity: bool,
    family_weights: Mapping[str, float],
    minimum_support: int,
    longest_list: int = 5,
) -> Features:
    """Identity columns first, then one block of columns per family, in the order given.

    Parameters
    ----------
    ids : Vocabulary
        The id of each row.
    families : mapping of name to labels
        One entry per id, in the vocabulary's order: a string, a list of strings, or null.
        Repeats within a row count once; empty strings are no value.
    identity : bool
        Whether each row gets a column of its own (weight 1). Without identity columns a model
        knows a title by its content only.
    family_weights : mapping of name to float
        The sum of a row's weights in a family, for rows that have a value. A film with twenty
        actors weighs as much as one with two.
    minimum_support : int
        A value that fewer rows have gets no column: there is too little to learn from.
    longest_list : int
        The most values of a family that a row keeps: the most frequent ones, then in alphabetical
        order. Training time grows with the length of lists, and a cast of thirty adds little to
        its five best-known actors.

    Raises
    ------
    ConfigError
        If a family has no weight, or one that is not positive.
    DataError
        If a family has more or fewer rows than there are ids, or no feature is left.
    """
    blocks: list[sp.csr_array[np.float32]] = []
    names: list[str] = []
    owners: list[str] = []
    if identity:
        blocks.append(sp.eye_array(len(ids), dtype=np.float32, format="csr"))
        names += [f"{IDENTITY}={name}" for name in ids.ids.to_pylist()]
        owners += [IDENTITY] * len(ids)
    for family, labels in families.items():
        weight = family_weights.get(family, 0.0)
        if not weight > 0:
            raise ConfigError(f"family {family} has weight {weight}: give it one above 0")
        rows, values = _pairs(family, labels, len(ids))
        vocabulary = Vocabulary.from_ids(values)
        block = sp.csr_array(  # repeats within a row become one entry
            (np.ones(len(rows), np.float32), (rows, vocabulary.rows(values))),
            shape=(len(ids), len(vocabulary)),
        )
        block = _shortened(block, longest_list)
        kept = np.flatnonzero(_support(block) >= minimum_support)
        blocks.append(_normalised(block[:, kept], weight))
        names += [f"{family}={value}" for value in vocabulary.take(kept).to_pylist()]
        owners += [family] * len(kept)
    if not names:
        raise DataError(f"no feature has {minimum_support} rows or more: lower the minimum support")
    matrix = sp.hstack(blocks, format="csr", dtype=np.float32)
    matrix.sort_indices()
    return Features(sp.csr_array(matrix), tuple(names), tuple(owners))


def _pairs(family: str, labels: Labels, n_rows: int) -> tuple[NDArray[np.intp], pa.StringArray]:
    """Every (row, value) of a family."""
    column = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else pa.array(labels)
    if len(column) != n_rows:
        raise DataError(f"family {family} has {len(column)} rows for {n_rows} ids")
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        rows = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
        values = pc.list_flatten(column)
    else:
        rows, values = np.arange(n_rows), column
    values = values.cast(pa.string())
    present = pc.fill_null(pc.not_equal(values, ""), fill_value=False)
    keep = present.to_numpy(zero_copy_only=False)
    return rows[keep].astype(np.intp), values.filter(present)


def _support(block: sp.csr_array[np.float32]) -> NDArray[np.intp]:
    """The number of rows with a value in each column."""
    return np.bincount(block.indices, minlength=block.shape[1])


def _shortened(block: sp.csr_array[np.float32], longest: int) -> sp.csr_array[np.float32]:
    """Rows with their `longest` most frequent columns; of equally frequent ones the first."""
    row = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    order = np.lexsort((block.indices, -_support(block)[block.indices], row))
    kept = order[np.arange(len(order)) - block.indptr[row] < longest]
    parts = np.ones(len(kept), np.float32), (row[kept], block.indices[kept])
    return sp.csr_array(parts, shape=block.shape)


def _normalised(block: sp.csr_array[np.float32], weight: float) -> sp.csr_array[np.float32]:
    """Rows that sum to `weight`; empty rows stay empty."""
    counts = np.diff(block.indptr)
    block.data = np.repeat(weight / np.maximum(counts, 1), counts).astype(np.float32)
    return block


def recency(age_days: NDArray[np.floating], *, half_life_days: float) -> NDArray[np.float64]:
    """The share of a signal's weight that is left at its age: 1 when new, 0.5 after a half-life.

    Raises
    ------
    ConfigError
        If the half-life is not positive.
    DataError
        If an age is negative (the signal is younger than the instant it is used for) or NaN.
    """
    if not half_life_days > 0:
        raise ConfigError(f"a half-life must be above 0 days, got {half_life_days}")
    ages = np.asarray(age_days, dtype=np.float64)
    wrong = ~(ages >= 0)
    if wrong.any():
        raise DataError(
            f"{wrong.sum()} of {len(ages)} signals are younger than the instant they are used "
            f"for (first: row {np.argmax(wrong)}, {ages[np.argmax(wrong)]} days old): cut by time"
        )
    return np.exp2(-ages / half_life_days)


def interactions(
    members: NDArray[np.intp],
    titles: NDArray[np.intp],
    signal: NDArray[np.floating],
    age_days: NDArray[np.floating],
    *,
    half_life_days: float,
    shape: tuple[int, int],
) -> sp.coo_array[np.float32]:
    """Weighted interactions: one entry per member and title, with mean weight 1.

    Parameters
    ----------
    members, titles : intp, shape (n,)
        Rows of the vocabularies. A pair may come many times, once per day with events.
    signal : float, shape (n,)
        The signal of the day's events, in any unit; negative for dislikes.
    age_days : float, shape (n,)
        Days from the event to the instant of use.
    half_life_days : float
        The age at which the weight halves, down to `RECENCY_FLOOR`.
    shape : (n_members, n_titles)

    Returns
    -------
    float32 COO, shape `shape`, sorted by member then title
        Only pairs whose signals have a positive sum. Weights grow with the logarithm of the sum,
        are at most `LARGEST_WEIGHT` times their mean, and have mean 1.

    Raises
    ------
    DataError
        If no sum is positive, a row is out of range, or an age is negative.
    """
    fresh = recency(age_days, half_life_days=half_life_days)
    decayed = np.asarray(signal, np.float64) * (RECENCY_FLOOR + (1 - RECENCY_FLOOR) * fresh)
    if not np.isfinite(decayed).all():
        raise DataError(f"{(~np.isfinite(decayed)).sum()} of {len(decayed)} signals are not finite")
    pairs, place = np.unique(_keys(members, titles, shape), return_inverse=True)
    # In units of the median signal, so that signals may come in any unit.
    unit = np.median(decayed[decayed > 0]) if (decayed > 0).any() else 1.0
    total = np.bincount(place, weights=np.rint(decayed / unit * _MICRO)) / _MICRO
    liked = total > 0
    if not liked.any():
        raise DataError(f"none of {len(pairs)} member-title pairs has a positive signal")
    weight = np.log1p(total[liked])
    weight = np.minimum(weight / weight.mean(), LARGEST_WEIGHT)
    row, column = np.divmod(pairs[liked], shape[1])
    return sp.coo_array(
        (
            (weight / weight.mean()).astype(np.float32),
            (row.astype(np.int32), column.astype(np.int32)),
        ),
        shape=shape,
    )


def has_interactions(
    matrix: sp.coo_array[Any] | sp.csr_array[Any], *, of: Literal["members", "titles"] = "members"
) -> NDArray[np.bool_]:
    """Which members or titles have an interaction: bool, shape (n_members,) or (n_titles,).

    Parameters
    ----------
    matrix : COO or CSR, shape (n_members, n_titles)
        Without stored zeros.

    Examples
    --------
    >>> matrix = sp.csr_array(np.array([[1, 0, 2], [0, 0, 0]]))
    >>> has_interactions(matrix).tolist(), has_interactions(matrix, of="titles").tolist()
    ([True, False], [True, False, True])
    """
    axis = 0 if of == "members" else 1
    rows = matrix.tocoo().coords[axis]
    return np.bincount(rows, minlength=matrix.shape[axis]) > 0


def seen(
    members: NDArray[np.intp], titles: NDArray[np.intp], *, shape: tuple[int, int]
) -> sp.csr_array[np.bool_]:
    """The titles that each member has seen; columns ascend within a row.

    Raises
    ------
    DataError
        If a row is out of range.
    """
    pairs = np.unique(_keys(members, titles, shape))
    row, column = np.divmod(pairs, shape[1])
    matrix = sp.csr_array((np.ones(len(pairs), np.bool_), (row, column)), shape=shape)
    matrix.sort_indices()
    return matrix


def _keys(
    members: NDArray[np.intp], titles: NDArray[np.intp], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """One number per (member, title), ascending by member then title."""
    for name, rows, size in (("member", members, shape[0]), ("title", titles, shape[1])):
        wrong = (rows < 0) | (rows >= size)
        if wrong.any():
            raise DataError(
                f"{wrong.sum()} of {len(rows)} interactions have a {name} outside the "
                f"vocabulary of {size} (first: row {np.argmax(wrong)}): filter them first"
            )
    return members.astype(np.int64) * shape[1] + titles
