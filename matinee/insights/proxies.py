"""Which signals of a week go with renewing, beyond what was known before that week.

An association, not a cause: members who watch more may stay for the reason for which they watch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

STEPS = 50
"""Most Newton steps of a logistic regression."""

RIDGE = 1e-3
"""Keeps separable data finite; far below what one renewal says."""


@dataclass(frozen=True)
class Added:
    """What one signal adds to what was known before, on the odds of staying."""

    odds_ratio: float
    """Per standard deviation of the signal."""
    low: float
    high: float
    p: float


def beyond(known: Floats, signal: Floats, stayed: NDArray[np.bool_]) -> Added:
    """The odds ratio of a signal in a logistic regression that has what was known before.

    Parameters
    ----------
    known : float64, shape (n, k)
    signal : float64, shape (n,)
    stayed : bool, shape (n,)
        Whether the member renewed.

    Returns
    -------
    NaN throughout where the signal does not vary.
    """
    spread = float(signal.std())
    if spread <= 0 or stayed.all() or not stayed.any():
        return Added(*[float("nan")] * 4)
    scale = known.std(axis=0)
    columns = (known - known.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    standard = (signal - signal.mean()) / spread
    design = np.column_stack([np.ones(len(signal)), columns, standard])
    beta, information = _logistic(design, stayed.astype(np.float64))
    error = float(np.sqrt(np.linalg.inv(information)[-1, -1]))
    half = special.ndtri(0.975) * error
    last = float(beta[-1])
    return Added(
        float(np.exp(last)),
        float(np.exp(last - half)),
        float(np.exp(last + half)),
        float(2 * special.ndtr(-abs(last / error))),
    )


def _logistic(design: Floats, label: Floats) -> tuple[Floats, Floats]:
    """Coefficients of the greatest likelihood and their information matrix, by Newton's method."""
    beta = np.zeros(design.shape[1])
    penalty = RIDGE * np.eye(len(beta))
    for _ in range(STEPS):
        chance = special.expit(design @ beta)
        weight = chance * (1 - chance)
        information = design.T @ (design * weight[:, None]) + penalty
        step = np.linalg.solve(information, design.T @ (label - chance) - penalty @ beta)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return beta, information
