"""Shares of what is watched: their change between weeks, and against the catalogue.

Intervals are over members and over titles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.insights.cells import column_counts, column_sums
from matinee.insights.multiple_tests import margins, p_values

Floats = NDArray[np.float64]
Matrix = sp.csr_array[np.float64]

LEAST_TITLES = 3
"""Titles below which a change has no interval: it would be about these titles."""


@dataclass(frozen=True)
class Ratio:
    """A part of a whole in one week, by member and title: float64 CSR, shape (n_members, n_titles).

    Of hours, `part` is the seconds watched, and `whole` is the same matrix: the share of an
    attribute is what its titles have of it. For a completion rate `part` has the titles completed
    and `whole` those started, and both are taken of the attribute's titles.
    """

    part: Matrix
    whole: Matrix
    is_share: bool
    """Whether the whole is that of all titles, not of the attribute's."""


@dataclass(frozen=True)
class Change:
    """The change of a ratio between two weeks, a value for each column of the attributes.

    `log` is the difference of the ratio's logarithms. It is NaN where either week has nothing.
    """

    log: Floats
    error: Floats
    """The standard error of `log`."""
    degrees: Floats
    """Degrees of freedom of the interval."""

    @property
    def p(self) -> Floats:
        """Two-sided p-values of no change."""
        return p_values(self.log, self.error, self.degrees)

    def relative(self) -> tuple[Floats, Floats, Floats]:
        """The change as a share of the week before, with its 95 % interval."""
        with np.errstate(over="ignore", invalid="ignore"):
            half = margins(self.error, self.degrees)
            return np.expm1(self.log), np.expm1(self.log - half), np.expm1(self.log + half)


def change(before: Ratio, after: Ratio, attributes: Matrix) -> Change:
    """How the ratio of each attribute changed from one week to the next.

    A share is free of what changes all titles alike: the calendar, and the number of members.
    Leave titles out of both weeks that were not in the catalogue all the time, as a price index
    does, and it is free of the catalogue's changes too.

    The standard error is that of a ratio by linearisation, clustered twice: over members, each of
    whom watches many things, and over titles, each of which many members watch. So what is found
    holds for other members and for other titles of the attribute, and not for one hit alone. Where
    the variance for both is less than for one of them, by chance, it is that of the one.

    Parameters
    ----------
    before, after : Ratio
        Of the same members and titles.
    attributes : float64 CSR, shape (n_titles, n_columns)

    References
    ----------
    Cameron, Gelbach and Miller, "Robust inference with multiway clustering", JBES 29, 2011.
    """
    by_member = [_by_member(one, attributes) for one in (before, after)]
    totals = [column_sums(one) for one, _, _ in by_member]
    wholes = [column_sums(whole) for _, whole, _ in by_member]
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(totals[1] / wholes[1]) - np.log(totals[0] / wholes[0])
    log[~np.isfinite(log)] = np.nan
    of_members = _squares(by_member, totals, wholes)
    by_title = [_by_title(one, attributes) for one in (before, after)]
    of_titles = _squares(by_title, totals, wholes)
    members = _filled(by_member[0][0], by_member[1][0])
    titles = _filled(by_title[0][0], by_title[1][0])
    of_pairs = _pair_squares(before, after, attributes, totals, wholes)
    return _estimated(log, (of_members, of_titles, of_pairs), members, titles)


def against_supply(demand: Ratio, is_supplied: NDArray[np.bool_], attributes: Matrix) -> Change:
    """How the share of hours of each attribute differs from its share of titles.

    The difference of the logarithms is that of the mean hours of a title of the attribute and of a
    title of the catalogue. Clusters and standard error are as in `change`.

    Parameters
    ----------
    demand : Ratio
        A share; what was watched of titles that are not supplied is left out.
    is_supplied : bool, shape (n_titles,)
    attributes : float64 CSR, shape (n_titles, n_columns)
    """
    supplied = is_supplied.astype(np.float64)
    kept = sp.diags_array(supplied).tocsr()
    part = (demand.part @ kept).tocsr()
    watched = Ratio(part, part, is_share=True)
    by_member, by_title = _by_member(watched, attributes), _by_title(watched, attributes)
    none = (by_member[0] * 0.0, by_member[1] * 0.0, True)
    titles = (kept @ attributes, sp.csr_array(supplied.reshape(-1, 1)), True)
    totals = [column_sums(titles[0]), column_sums(by_member[0])]
    wholes = [np.array([supplied.sum()]), column_sums(part).sum(keepdims=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(totals[1] / wholes[1]) - np.log(totals[0] / wholes[0])
    log[~np.isfinite(log)] = np.nan
    of_members = _squares([none, by_member], totals, wholes)
    of_titles = _squares([titles, by_title], totals, wholes)
    empty = Ratio(part * 0.0, part * 0.0, is_share=True)
    of_pairs = _pair_squares(empty, watched, attributes, totals, wholes)
    members, count = column_counts(by_member[0]), column_counts(titles[0])
    return _estimated(log, (of_members, of_titles, of_pairs), members, count)


def _estimated(
    log: Floats, squares: tuple[Floats, Floats, Floats], members: Floats, titles: Floats
) -> Change:
    """The change with its two-way clustered standard error."""
    of_members, of_titles, of_pairs = squares
    both = of_members + of_titles - of_pairs
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum.reduce(
            [both, of_members * members / (members - 1), of_titles * titles / (titles - 1)]
        )
    known = np.isfinite(log) & (titles >= LEAST_TITLES) & (members > 1)
    error = np.where(known, np.sqrt(np.where(known, np.maximum(variance, 0.0), 0.0)), np.nan)
    return Change(log, error, np.maximum(np.minimum(members, titles) - 1.0, 1.0))


Sides = tuple[Matrix, Matrix, bool]
"""The part by cluster and column, the whole by cluster (and column), whether it is a share."""


def _by_member(ratio: Ratio, attributes: Matrix) -> Sides:
    if ratio.is_share:
        whole = sp.csr_array(column_sums(ratio.whole.T).reshape(-1, 1))
    else:
        whole = (ratio.whole @ attributes).tocsr()
    return (ratio.part @ attributes).tocsr(), whole, ratio.is_share


def _by_title(ratio: Ratio, attributes: Matrix) -> Sides:
    part, whole = (column_sums(one) for one in (ratio.part, ratio.whole))
    return (
        sp.diags_array(part).tocsr() @ attributes,
        sp.csr_array(whole.reshape(-1, 1))
        if ratio.is_share
        else sp.diags_array(whole).tocsr() @ attributes,
        ratio.is_share,
    )


def _squares(sides: list[Sides], totals: list[Floats], wholes: list[Floats]) -> Floats:
    """The sum over clusters of the squared influence on the log ratio, by column."""
    scaled = [
        part @ sp.diags_array(_inverse(total))
        for (part, _, _), total in zip(sides, totals, strict=True)
    ]
    own = (scaled[1] - scaled[0]).tocsc()
    scales = [_inverse(whole) for whole in wholes]
    if sides[0][2]:
        shared = (sides[1][1] * scales[1][0] - sides[0][1] * scales[0][0]).toarray().ravel()
        cross = np.asarray(own.T @ shared).ravel()
        return column_sums(own.power(2)) - 2.0 * cross + float(shared @ shared)
    difference = own - (
        sides[1][1] @ sp.diags_array(scales[1]) - sides[0][1] @ sp.diags_array(scales[0])
    )
    return column_sums(difference.power(2))


def _pair_squares(
    before: Ratio, after: Ratio, attributes: Matrix, totals: list[Floats], wholes: list[Floats]
) -> Floats:
    """The same where each pair of member and title is a cluster of its own.

    The influence of a pair is a sum of four terms, of the part and the whole in both weeks, and its
    square a sum of their products: each is summed over members first, so no pair is expanded.
    """
    terms = [after.part, before.part, after.whole, before.whole]
    scales = [_inverse(one) for one in (totals[1], totals[0], wholes[1], wholes[0])]
    signs = (1.0, -1.0, -1.0, 1.0)
    found = np.zeros(attributes.shape[1])
    for i, (left, scale) in enumerate(zip(terms, scales, strict=True)):
        for j, (right, other) in enumerate(zip(terms, scales, strict=True)):
            products = column_sums(left * right)
            is_of_all = after.is_share and i > 1 and j > 1
            of_column = np.asarray(products.sum() if is_of_all else attributes.T @ products)
            found += signs[i] * signs[j] * scale * other * of_column
    return found


def _inverse(total: Floats) -> Floats:
    return np.where(total > 0, 1 / np.where(total > 0, total, 1), 0.0)


def _filled(before: Matrix, after: Matrix) -> Floats:
    """The clusters that have something in either week, by column."""
    return column_counts(before + after)
