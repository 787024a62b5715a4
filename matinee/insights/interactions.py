"""Pairs of themes that do better together than each does: interaction effects, shrunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

STEPS = 40
"""Steps of the EM algorithm for the two variances."""


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

    Pairs are drawn around 0 with a variance that the data decide, so a pair of few titles stays
    near 0 and pairs that differ by chance alone are all 0. This is the shrinkage that many
    comparisons need.

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
    Henderson, "Best linear unbiased estimation and prediction under a selection model", Biometrics
    31, 1975. Gelman, Hill and Yajima, "Why we (usually) don't have to worry about multiple
    comparisons", Journal of Research on Educational Effectiveness 5, 2012.
    """
    n, n_pairs = pairs.shape
    fixed = np.hstack([np.ones((n, 1)), parts])
    design = np.hstack([fixed, pairs])
    products, target = design.T @ design, design.T @ outcome
    random = np.arange(design.shape[1]) >= fixed.shape[1]
    noise = tau = max(float(outcome.var()) / 2, 1e-12)
    ridge = 1e-6 * max(1.0, float(n))  # parts may be linearly dependent
    effects = np.zeros(design.shape[1])
    covariance = np.eye(design.shape[1])
    for _ in range(STEPS):
        penalty = np.where(random, noise / tau, ridge)
        inverse = np.linalg.inv(products + np.diag(penalty))
        effects = inverse @ target
        covariance = inverse * noise
        residual = outcome - design @ effects
        fitted = float((products * covariance).sum())
        noise = max((float(residual @ residual) + fitted) / n, 1e-12)
        of_pairs = float((effects[random] ** 2).sum() + np.trace(covariance[random][:, random]))
        tau = max(of_pairs / max(1, n_pairs), 1e-12)
    variances = np.diag(covariance)[random]
    return Interactions(effects[random], np.sqrt(np.maximum(variances, 1e-15)))
