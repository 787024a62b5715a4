"""Week-on-week change of what is watched: shares, with intervals over members and over titles."""

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
    whom watches many things, and over titles, each of which many members watch. The two variances
    are added, which is at least the variance of Cameron, Gelbach and Miller. So what is found holds
    for other members and for other titles of the attribute, and not for one hit alone.

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
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = of_members * members / (members - 1) + of_titles * titles / (titles - 1)
    degrees = np.minimum(members, titles) - 1.0
    known = np.isfinite(log) & (titles >= LEAST_TITLES) & (members > 1)
    error = np.where(known, np.sqrt(np.where(known, np.maximum(variance, 0.0), 0.0)), np.nan)
    return Change(log, error, np.maximum(degrees, 1.0))


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
        part @ sp.diags_array(np.where(total > 0, 1 / np.where(total > 0, total, 1), 0.0))
        for (part, _, _), total in zip(sides, totals, strict=True)
    ]
    own = (scaled[1] - scaled[0]).tocsc()
    scales = [np.where(whole > 0, 1 / np.where(whole > 0, whole, 1), 0.0) for whole in wholes]
    if sides[0][2]:
        shared = (sides[1][1] * scales[1][0] - sides[0][1] * scales[0][0]).toarray().ravel()
        cross = np.asarray(own.T @ shared).ravel()
        return column_sums(own.power(2)) - 2.0 * cross + float(shared @ shared)
    difference = own - (
        sides[1][1] @ sp.diags_array(scales[1]) - sides[0][1] @ sp.diags_array(scales[0])
    )
    return column_sums(difference.power(2))


def _filled(before: Matrix, after: Matrix) -> Floats:
    """The clusters that have something in either week, by column."""
    return column_counts(before + after)
