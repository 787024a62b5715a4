"""Many tests at once: t intervals and the false discovery rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def p_values(estimate: Floats, error: Floats, degrees: Floats) -> Floats:
    """Two-sided p-values of Student's t; NaN where the standard error is 0 or not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(estimate / np.where(error > 0, error, np.nan))
    found: Floats = 2.0 * special.stdtr(degrees, -t)
    return found


def margins(error: Floats, degrees: Floats, *, level: float = 0.95) -> Floats:
    """Half the width of each interval."""
    return np.asarray(error * special.stdtrit(degrees, 0.5 + level / 2))


def q_values(p: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p-values of all tests; NaN stays NaN and is no test.

    A list of all tests with q below a rate has at most that share of false discoveries.

    References
    ----------
    Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 57, 1995.

    >>> q_values(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    found = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    found[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return found
