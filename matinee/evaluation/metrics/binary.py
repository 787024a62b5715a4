"""Metrics of probabilities of a yes or no: order, error, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError

Z = 1.959964
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Bin:
    """Cases of like probability."""

    cases: int
    predicted: float
    """The mean probability."""
    observed: float
    """The share that came true."""
    low: float
    high: float
    """Wilson's 95 % interval of that share."""


def roc_auc(score: NDArray[np.floating], label: NDArray[np.bool_]) -> float:
    """The share of pairs of a true and a false case that the score orders rightly; ties count half.

    Parameters
    ----------
    score : float, shape (n,)
    label : bool, shape (n,)

    Raises
    ------
    ConfigError
        If there is no true or no false case.

    References
    ----------
    Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982.

    Examples
    --------
    >>> roc_auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    true = int(label.sum())
    false = len(label) - true
    if not true or not false:
        raise ConfigError(f"{true} of {len(label)} cases are true: AUC needs both kinds")
    from scipy.stats import rankdata  # slow to import, and most commands need it not

    ranks = rankdata(score)
    return float((ranks[label].sum() - true * (true + 1) / 2) / (true * false))


def brier(probability: NDArray[np.floating], label: NDArray[np.bool_]) -> float:
    """The mean squared error of probabilities.

    References
    ----------
    Brier, "Verification of forecasts expressed in terms of probability", 1950.

    Examples
    --------
    >>> brier(np.array([0.5, 1.0]), np.array([True, True]))
    0.125
    """
    return float(((probability - label) ** 2).mean())


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; (0, 1) without trials.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson(5, 10)]
    [0.2366, 0.7634]
    """
    if trials <= 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + Z**2 / (2 * trials)
    spread = Z * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    low, high = (float((centre + sign * spread) / (1 + Z**2 / trials)) for sign in (-1, 1))
    return max(low, 0.0), min(high, 1.0)


def reliability(
    probability: NDArray[np.floating], label: NDArray[np.bool_], *, bins: int = 10
) -> list[Bin]:
    """Predicted against observed shares, in bins with equally many cases, ascending.

    References
    ----------
    Murphy and Winkler, "Reliability of subjective probability forecasts", 1977.

    Examples
    --------
    >>> found = reliability(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0, 0, 1, 1]) > 0, bins=2)
    >>> [(one.predicted, one.observed) for one in found]
    [(0.1, 0.0), (0.9, 1.0)]
    """
    order = np.argsort(probability, kind="stable")
    found = []
    for part in np.array_split(order, min(bins, len(order))):
        share = float(label[part].mean())
        low, high = wilson(float(label[part].sum()), len(part))
        found.append(Bin(len(part), float(probability[part].mean()), share, low, high))
    return found


def calibration_error(bins: list[Bin]) -> float:
    """The mean distance between predicted and observed shares, weighted by cases.

    References
    ----------
    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
    AAAI 2015.

    Examples
    --------
    >>> calibration_error([Bin(3, 0.5, 0.25, 0.0, 1.0), Bin(1, 1.0, 1.0, 0.0, 1.0)])
    0.1875
    """
    cases = sum(one.cases for one in bins)
    return sum(abs(one.predicted - one.observed) * one.cases for one in bins) / cases
