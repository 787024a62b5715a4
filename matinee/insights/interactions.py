"""Pairs of themes that do better together than each does: interaction effects, shrunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

SHRINKAGES = tuple(np.geomspace(0.1, 1e5, 61).tolist())
"""Ratios of the variance of titles to that of pairs, of which the likeliest is taken. With the
largest, every pair is 0."""


@dataclass(frozen=True)
class Interactions:
    """The effect of each pair beyond its parts, on the logarithm of the outcome."""

    mean: Floats
    deviation: Floats
    """The posterior standard deviation of `mean`."""

    def relative(self, *, level: float = 0.95) -> tuple[Floats, Floats, Floats]:
        """The effect as a share of what the parts predict, with its posterior interval."""
        half = self.deviation * special.ndtri(0.5 + level / 2)
        return np.expm1(self.mean), np.expm1(self.mean - half), np.expm1(self.mean + half)

    @property
    def wrong_sign(self) -> Floats:
        """The posterior probability that the effect has the other sign."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(special.ndtr(-np.abs(self.mean / self.deviation)))


def interactions(outcome: Floats, parts: Floats, pairs: Floats) -> Interactions:
    """A linear model of titles: fixed effects of the parts, random effects of the pairs.

    Pairs are drawn around 0 with the variance of the greatest restricted likelihood (REML). So a
    pair of few titles stays near 0, and pairs that differ by chance alone are all 0: this is the
    shrinkage that many comparisons need.

    Parameters
    ----------
    outcome : float64, shape (n_titles,)
        Logarithms, such as of hours watched.
    parts : float64, shape (n_titles, n_parts)
        What a title has: themes, genres, an age. The mean is added.
    pairs : float64, shape (n_titles, n_pairs)
        1 where a title has both of a pair.

    References
    ----------
    Patterson and Thompson, "Recovery of inter-block information when block sizes are unequal",
    Biometrika 58, 1971. Gelman, Hill and Yajima, "Why we (usually) don't have to worry about
    multiple comparisons", Journal of Research on Educational Effectiveness 5, 2012.
    """
    fixed = np.hstack([np.ones((len(outcome), 1)), parts])
    axes, values, _ = np.linalg.svd(fixed, full_matrices=False)
    axes = axes[:, values > values[0] * 1e-9]
    target = outcome - axes @ (axes.T @ outcome)
    beyond = pairs - axes @ (axes.T @ pairs)
    spread, vectors = np.linalg.eigh(beyond.T @ beyond)
    spread = np.maximum(spread, 0.0)
    along = vectors.T @ (beyond.T @ target)
    freedom = max(1, len(outcome) - axes.shape[1])
    total = float(target @ target)

    def unexplained(shrinkage: float) -> float:
        return max(total - float((along**2 / (spread + shrinkage)).sum()), 1e-12)

    def misfit(shrinkage: float) -> float:
        """Twice the negative restricted log-likelihood."""
        return float(freedom * np.log(unexplained(shrinkage)) + np.log1p(spread / shrinkage).sum())

    shrinkage = min(SHRINKAGES, key=misfit)
    noise = unexplained(shrinkage) / freedom
    mean = vectors @ (along / (spread + shrinkage))
    variance = noise * ((vectors**2) @ (1 / (spread + shrinkage)))
    return Interactions(mean, np.sqrt(variance))
