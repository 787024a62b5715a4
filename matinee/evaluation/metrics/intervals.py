"""Bootstrap intervals over the evaluated members."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError

DRAWS = 1000

LEVEL = 0.95


MOST_SHARED = 5_000
"""The most members whose draws are shared by columns; beyond, memory would be the cost."""


class Interval(NamedTuple):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


def bootstrap(values: NDArray[np.floating], seed: int) -> Interval:
    """The mean of one value per member, with its percentile bootstrap interval.

    Parameters
    ----------
    values : float, shape (n_members,)
        No NaN: leave out members who are not evaluated, and report how many.
    seed : int

    Raises
    ------
    ConfigError
        If there are no values, or one is not finite.

    Notes
    -----
    Drawing `n` members with replacement is one multinomial draw over the distinct values, so
    100,000 members with a few hundred distinct values cost no more than those hundreds.

    References
    ----------
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Examples
    --------
    >>> bootstrap(np.array([0.5, 0.5, 0.5]), seed=1)
    Interval(mean=0.5, low=0.5, high=0.5)
    """
    if len(values) == 0:
        raise ConfigError("no values to bootstrap: the cohort is empty")
    if not np.isfinite(values).all():
        raise ConfigError(
            f"{(~np.isfinite(values)).sum()} of {len(values)} values are not finite: "
            "leave out members without held-out titles"
        )
    distinct, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    random = np.random.default_rng(seed)
    draws = random.multinomial(len(values), counts / len(values), size=DRAWS)
    low, high = np.quantile(draws @ distinct / len(values), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(counts @ distinct / len(values)), float(low), float(high))


def paired_bootstrap(
    values: NDArray[np.floating], others: NDArray[np.floating], seed: int
) -> Interval:
    """The mean lead of `values` over `others`, the same members in the same order.

    Paired, because members differ from each other far more than two models do on one member.

    Raises
    ------
    ConfigError
        If lengths differ, or as for `bootstrap`.

    Examples
    --------
    The values differ, the lead does not.

    >>> paired_bootstrap(np.array([0.25, 1.0]), np.array([0.0, 0.75]), seed=1)
    Interval(mean=0.25, low=0.25, high=0.25)
    """
    if len(values) != len(others):
        raise ConfigError(f"{len(values)} values cannot be paired with {len(others)}")
    return bootstrap(np.asarray(values, np.float64) - others, seed)


def bootstrap_columns(columns: NDArray[np.floating], seed: int) -> list[Interval]:
    """`bootstrap` of every column, with the same draws of members for all of them.

    Parameters
    ----------
    columns : float, shape (n_members, n_columns)

    Raises
    ------
    ConfigError
        As for `bootstrap`.

    Notes
    -----
    One draw of members is shared, which costs as much as one column does alone. With more than
    `MOST_SHARED` members each column is drawn by its distinct values.

    Examples
    --------
    >>> bootstrap_columns(np.array([[0.5, 1.0], [0.5, 1.0]]), seed=1)
    [Interval(mean=0.5, low=0.5, high=0.5), Interval(mean=1.0, low=1.0, high=1.0)]
    """
    size = len(columns)
    if not 0 < size <= MOST_SHARED or not np.isfinite(columns).all():
        return [bootstrap(column, seed) for column in columns.T]
    draws = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=DRAWS)
    values = np.asarray(columns, np.float64)
    bounds = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    lows, highs = np.quantile(draws @ values / size, bounds, axis=0)
    means = values.mean(axis=0)
    rows = zip(means.tolist(), lows.tolist(), highs.tolist(), strict=True)
    return [Interval(*row) for row in rows]
