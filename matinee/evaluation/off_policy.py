"""Off-policy estimates: what a policy would have achieved, from the log of another one.

A row of a log is one shown action with its reward and the probability with which the logging
policy chose it. Every estimate here is a ratio of two sums over rows, so all have the same
interval: the linearised variance of a ratio, over clusters of rows that are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError

SUPPORTED = "supported"

Z = 1.959964
"""The 97.5 % quantile of the normal distribution."""

LEAST_EFFECTIVE_ROWS = 100.0
"""Below this effective sample size there is no verdict: the normal interval is too narrow then."""

LEAST_EFFECTIVE_REWARDS = 5.0
"""Nor is there one from fewer effective rewards, such as clicks: the rule of thumb n p >= 5."""

LARGEST_SHARE = 0.1
"""Nor if a single row carries more than this share of all weight."""


@dataclass(frozen=True)
class Estimate:
    """The mean reward of a policy, with a 95 % interval."""

    value: float
    low: float
    high: float
    effective_rows: float
    """Kish's effective sample size of the weights: rows of equal weight that say as much."""
    effective_rewards: float
    """The same of the rows that had a reward."""
    largest_share: float
    """The share of all weight that the heaviest row has."""

    @property
    def is_supported(self) -> bool:
        """Whether the log says enough about the policy for a verdict."""
        return self.verdict == SUPPORTED

    @property
    def verdict(self) -> str:
        """One phrase for people: whether to trust the interval, and why not."""
        for what, value, least in (
            ("effective sample size", self.effective_rows, LEAST_EFFECTIVE_ROWS),
            ("effective number of rewards", self.effective_rewards, LEAST_EFFECTIVE_REWARDS),
        ):
            if not value >= least:
                return f"no verdict: the {what} is {value:.1f}, below {least:.0f}"
        if self.largest_share > LARGEST_SHARE:
            return f"no verdict: one row has {self.largest_share:.0%} of all weight"
        return SUPPORTED


def weights(
    target: NDArray[np.floating], logged: NDArray[np.floating], *, most: float = np.inf
) -> NDArray[np.float64]:
    """Importance weights: the target's probability of each shown action by the logged one.

    Parameters
    ----------
    target, logged : float, shape (n_rows,)
        Probabilities of the action that was shown.
    most : float
        Larger weights are cut to this; it trades variance for bias.

    Raises
    ------
    DataError
        If a logged probability is not in (0, 1] or a target one not in [0, 1].

    References
    ----------
    Horvitz and Thompson, "A generalization of sampling without replacement", 1952.
    """
    target, logged = np.asarray(target, np.float64), np.asarray(logged, np.float64)
    wrong = ~((logged > 0) & (logged <= 1)) | ~((target >= 0) & (target <= 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{wrong.sum()} of {len(logged)} rows have no propensity (first: row {row}, logged "
            f"{logged[row]}, target {target[row]}): a logged one is above 0 and both at most 1"
        )
    return np.minimum(target / logged, most)


def effective_rows(weight: NDArray[np.floating]) -> float:
    """Kish's effective sample size, (sum of w)^2 / sum of w^2; 0 without any weight.

    >>> effective_rows(np.array([1.0, 1.0, 1.0, 1.0])), effective_rows(np.array([1.0, 0.0]))
    (4.0, 1.0)
    """
    squares = float((weight * weight).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def replay(
    reward: NDArray[np.floating],
    is_match: NDArray[np.bool_],
    clusters: NDArray[np.intp] | None = None,
) -> Estimate:
    """The mean reward of the rows whose shown action the target policy would choose as well.

    Unbiased where the logging policy chose uniformly.

    References
    ----------
    Li, Chu, Langford and Wang, "Unbiased offline evaluation of contextual-bandit-based news article
    recommendation algorithms", WSDM 2011.
    """
    return snips(reward, np.asarray(is_match, np.float64), clusters)


def ips(
    reward: NDArray[np.floating],
    weight: NDArray[np.floating],
    clusters: NDArray[np.intp] | None = None,
) -> Estimate:
    """Inverse propensity scoring: the mean of weight times reward. Unbiased.

    Parameters
    ----------
    reward, weight : float, shape (n_rows,)
        See `weights`.
    clusters : intp, shape (n_rows,), optional
        The member of each row: rows of one member are not independent.

    Raises
    ------
    DataError
        If there are no rows, or a number is not finite.
    """
    return _ratio(weight * reward, np.ones(len(reward)), reward, weight, clusters)


def snips(
    reward: NDArray[np.floating],
    weight: NDArray[np.floating],
    clusters: NDArray[np.intp] | None = None,
) -> Estimate:
    """Self-normalised IPS: the weighted mean of rewards. Consistent, never outside their range.

    References
    ----------
    Swaminathan and Joachims, "The self-normalized estimator for counterfactual learning",
    NeurIPS 2015.

    Examples
    --------
    >>> snips(np.array([1.0, 0.0]), np.array([3.0, 1.0])).value
    0.75
    """
    return _ratio(weight * reward, np.asarray(weight, np.float64), reward, weight, clusters)


def doubly_robust(
    reward: NDArray[np.floating],
    weight: NDArray[np.floating],
    predicted: NDArray[np.floating],
    expected: NDArray[np.floating],
    clusters: NDArray[np.intp] | None = None,
) -> Estimate:
    """A model's estimate, corrected by IPS of its errors: right if either of the two is.

    Parameters
    ----------
    predicted : float, shape (n_rows,)
        The model's reward of the action that was shown.
    expected : float, shape (n_rows,)
        The model's mean reward of the target policy on that row.

    References
    ----------
    Dudik, Langford and Li, "Doubly robust policy evaluation and learning", ICML 2011.
    """
    corrected = expected + weight * (reward - predicted)
    return _ratio(corrected, np.ones(len(reward)), reward, weight, clusters)


def _ratio(
    top: NDArray[np.floating],
    bottom: NDArray[np.floating],
    reward: NDArray[np.floating],
    weight: NDArray[np.floating],
    clusters: NDArray[np.intp] | None,
) -> Estimate:
    """sum(top) / sum(bottom), with the linearised variance over clusters.

    References
    ----------
    Cochran, "Sampling Techniques", 3rd edition, 1977, sections 6.3 and 9A.
    """
    if not len(top):
        raise DataError("no rows to estimate from: the log is empty")
    if not (np.isfinite(top).all() and np.isfinite(bottom).all()):
        raise DataError(f"rewards and weights must be finite in all of {len(top)} rows")
    total, size = float(bottom.sum()), float(weight.sum())
    if total == 0:
        return Estimate(float("nan"), float("nan"), float("nan"), 0.0, 0.0, 0.0)
    value = float(top.sum()) / total
    errors = top - value * bottom
    if clusters is not None:
        errors = np.bincount(np.unique(clusters, return_inverse=True)[1], errors)
    n = len(errors)
    variance = float((errors * errors).sum()) * n / (n - 1) if n > 1 else float("inf")
    spread = Z * float(np.sqrt(variance)) / total
    return Estimate(
        value=value,
        low=value - spread,
        high=value + spread,
        effective_rows=effective_rows(weight),
        effective_rewards=effective_rows(weight[reward != 0]),
        largest_share=float(weight.max()) / size if size else 0.0,
    )
