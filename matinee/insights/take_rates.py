"""Take rates: how often members choose a title when one of its assets is shown to them.

A log of impressions with propensities gives each asset a rate per cell of title and segment. Rates
are shrunk in three steps, each by empirical Bayes: a title toward all titles, a title in a segment
toward the title, and an asset toward its title in its segment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

from matinee.errors import DataError

STRENGTHS = np.geomspace(3.0, 30_000.0, 41)
"""Prior strengths that are tried, in impressions."""

ALL_SEGMENTS = -1
"""The segment of members without one, and of all members together."""


@dataclass(frozen=True)
class Log:
    """n impressions of assets."""

    title: NDArray[np.intp]
    segment: NDArray[np.intp]
    """`ALL_SEGMENTS` for members without one."""
    asset: NDArray[np.intp]
    """intp, shape (n,): a number over all titles."""
    clicked: NDArray[np.bool_]
    propensity: NDArray[np.float64]
    """The probability with which the asset was chosen among those of the title."""

    def __post_init__(self) -> None:
        wrong = ~((self.propensity > 0) & (self.propensity <= 1))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DataError(
                f"{wrong.sum()} of {len(self.title)} impressions have no propensity (first: row "
                f"{row}, {self.propensity[row]}): leave them out, nothing can be learned from them"
            )


@dataclass(frozen=True)
class Rates:
    """Take rates of k cells of title, segment and asset, ordered by them."""

    title: NDArray[np.intp]
    segment: NDArray[np.intp]
    asset: NDArray[np.intp]
    impressions: NDArray[np.intp]
    clicks: NDArray[np.intp]
    effective: NDArray[np.float64]
    """Effective impressions: fewer where propensities differ within the cell."""
    replayed: NDArray[np.float64]
    """Clicks by impressions; NaN without any. Unbiased where propensities are equal."""
    ips: NDArray[np.float64]
    """Clicks by propensity, over all impressions of the title in the segment."""
    snips: NDArray[np.float64]
    """The mean of clicks, weighted by the inverse propensity."""
    doubly_robust: NDArray[np.float64]
    """The rate of the title in the segment, corrected by IPS of what it misses."""
    alpha: NDArray[np.float64]
    beta: NDArray[np.float64]
    """The Beta posterior of the rate."""

    @property
    def mean(self) -> NDArray[np.float64]:
        """The shrunk rate."""
        return self.alpha / (self.alpha + self.beta)

    def bounds(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The equal-tailed interval of the posterior."""
        from scipy.stats import beta

        tail = (1 - level) / 2
        low, high = (np.asarray(beta.ppf(q, self.alpha, self.beta)) for q in (tail, 1 - tail))
        return low, high


def strength(
    clicks: NDArray[np.floating], trials: NDArray[np.floating], mean: NDArray[np.floating]
) -> float:
    """The prior strength, in impressions, with the largest marginal likelihood on `STRENGTHS`.

    Parameters
    ----------
    clicks, trials : float, shape (n,)
        Of each binomial; they need not be whole.
    mean : float, shape (n,)
        The mean of its Beta prior, in (0, 1).

    References
    ----------
    Efron and Morris, "Data analysis using Stein's estimator", 1975; for the Beta-Binomial, Gelman
    et al., "Bayesian Data Analysis", 3rd edition, section 5.3.
    """
    if not len(clicks):
        return float(STRENGTHS[-1])
    a, b = STRENGTHS[:, None] * mean, STRENGTHS[:, None] * (1 - mean)
    likelihood = (betaln(a + clicks, b + trials - clicks) - betaln(a, b)).sum(axis=1)
    return float(STRENGTHS[int(np.argmax(likelihood))])


def shrink(
    clicks: NDArray[np.floating], trials: NDArray[np.floating], mean: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Alpha and beta of the Beta posterior of each rate, its prior strength by empirical Bayes."""
    mean = np.clip(mean, 1e-6, 1 - 1e-6)
    prior = strength(clicks, trials, mean)
    return prior * mean + clicks, prior * (1 - mean) + trials - clicks


def take_rates(log: Log, assets: NDArray[np.intp]) -> Rates:
    """Rates of every asset in every segment that its title was shown to, and in all together.

    Parameters
    ----------
    log : Log
    assets : intp, shape (n_assets,)
        The title of each asset. Assets that were never shown have rates of their prior alone.

    Raises
    ------
    DataError
        If an impression shows an asset of another title.
    """
    if len(log.asset) and not np.array_equal(assets[log.asset], log.title):
        row = int(np.argmax(assets[log.asset] != log.title))
        raise DataError(
            f"impression {row} shows asset {log.asset[row]} of title {assets[log.asset[row]]} "
            f"as one of title {log.title[row]}"
        )
    cells = _cells(log, assets)
    total = cells.segment == ALL_SEGMENTS
    _, group = np.unique(np.stack([cells.title, cells.segment]), axis=1, return_inverse=True)
    clicks, trials = _of_groups(cells, group)
    known = trials > 0
    overall = clicks[known].sum() / trials[known].sum() if known.any() else 0.5

    # Titles toward all titles, then a title in a segment toward the title everywhere.
    mean = np.full(len(clicks), overall)
    is_total = np.zeros(len(clicks), np.bool_)
    is_total[group[total]] = True
    mean[is_total] = _shrunk(clicks[is_total], trials[is_total], mean[is_total])
    of_title = np.empty(int(assets.max(initial=-1)) + 1)
    of_title[cells.title[total]] = mean[group[total]]
    parent = np.empty(len(clicks))
    parent[group] = of_title[cells.title]
    mean[~is_total] = _shrunk(clicks[~is_total], trials[~is_total], parent[~is_total])

    alpha, beta = np.empty(len(total)), np.empty(len(total))
    taken = np.nan_to_num(cells.snips) * cells.effective
    for part in (total, ~total):
        alpha[part], beta[part] = shrink(taken[part], cells.effective[part], mean[group[part]])
    return replace(cells, alpha=alpha, beta=beta)


def _shrunk(
    clicks: NDArray[np.floating], trials: NDArray[np.floating], mean: NDArray[np.floating]
) -> NDArray[np.float64]:
    alpha, beta = shrink(clicks, trials, mean)
    return alpha / (alpha + beta)


def _of_groups(
    cells: Rates, group: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Effective clicks and impressions of each title and segment, all assets counting alike."""
    size = int(group.max(initial=-1)) + 1
    shown = cells.effective > 0
    rates = np.where(shown, np.nan_to_num(cells.snips), 0.0)
    assets = np.bincount(group, shown, size)
    mean = np.bincount(group, rates, size) / np.maximum(assets, 1)
    # The variance of a mean of rates is that of 1/k^2 times the sum of p (1 - p) / n.
    inverse = np.bincount(group, np.where(shown, 1 / np.maximum(cells.effective, 1e-9), 0.0), size)
    trials = np.where(assets > 0, assets**2 / np.maximum(inverse, 1e-12), 0.0)
    return mean * trials, trials


@dataclass(frozen=True)
class _Grid:
    """Every asset of a title in each segment that saw the title, and in all segments together."""

    title: NDArray[np.intp]
    segment: NDArray[np.intp]
    asset: NDArray[np.intp]
    pair: NDArray[np.intp]
    """The title and segment of each cell, a number from 0."""
    first: NDArray[np.intp]
    """The first cell of each pair."""
    keys: NDArray[np.intp]
    n_segments: int
    rank: NDArray[np.intp]
    """The place of each asset among those of its title."""

    @classmethod
    def of(cls, log: Log, assets: NDArray[np.intp]) -> _Grid:
        n_segments = int(log.segment.max(initial=-1)) + 2
        seen = np.unique(log.title * n_segments + log.segment + 1)
        keys = np.union1d(seen, np.unique(assets) * n_segments)
        order = np.argsort(assets, kind="stable")
        start = np.searchsorted(assets[order], keys // n_segments)
        count = np.searchsorted(assets[order], keys // n_segments + 1) - start
        first = np.cumsum(count) - count
        pair = np.repeat(np.arange(len(keys)), count)
        rank = np.empty(len(assets), np.intp)
        rank[order] = np.arange(len(assets)) - np.searchsorted(assets[order], assets[order])
        return cls(
            title=keys[pair] // n_segments,
            segment=keys[pair] % n_segments - 1,
            asset=order[start[pair] + np.arange(len(pair)) - first[pair]],
            pair=pair,
            first=first,
            keys=keys,
            n_segments=n_segments,
            rank=rank,
        )

    def cells(self, log: Log, segment: NDArray[np.intp]) -> NDArray[np.intp]:
        """The cell of each impression, taken as one of `segment`."""
        pair = np.searchsorted(self.keys, log.title * self.n_segments + segment + 1)
        return np.asarray(self.first[pair] + self.rank[log.asset], np.intp)


def _cells(log: Log, assets: NDArray[np.intp]) -> Rates:
    """Counts and unshrunk estimates of each cell of the grid."""
    grid = _Grid.of(log, assets)
    own = log.segment != ALL_SEGMENTS
    everyone = np.full_like(log.segment, ALL_SEGMENTS)
    cell = np.concatenate([grid.cells(log, everyone), grid.cells(log, log.segment)[own]])

    def summed(values: NDArray[np.floating]) -> NDArray[np.float64]:
        both = np.concatenate([values, values[own]])
        return np.asarray(np.bincount(cell, both, minlength=len(grid.pair)), np.float64)

    clicked, weight = log.clicked.astype(np.float64), 1 / log.propensity
    shown, clicks = summed(np.ones(len(clicked))), summed(clicked)
    weights, squares, weighted = summed(weight), summed(weight * weight), summed(weight * clicked)
    pages = np.bincount(grid.pair, shown)[grid.pair]
    rate = np.bincount(grid.pair, clicks)[grid.pair] / np.maximum(pages, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Rates(
            title=grid.title,
            segment=grid.segment,
            asset=grid.asset,
            impressions=shown.astype(np.intp),
            clicks=clicks.astype(np.intp),
            effective=np.where(squares > 0, weights**2 / squares, 0.0),
            replayed=clicks / shown,
            ips=weighted / pages,
            snips=weighted / weights,
            doubly_robust=rate + (weighted - rate * weights) / pages,
            alpha=np.empty(0),
            beta=np.empty(0),
        )
