"""Weights of the combination before a log has evidence of its own: learned on public rating sets.

Made by `python -m benchmarks.combination SET... --defaults`; docs/research/combination.md has the
sets, the figures with each set left out, and the command.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.models.combination import COHORTS, Combination, Context

_ByPart = dict[str, tuple[tuple[float, ...], tuple[float, ...]]]

WEIGHTS: dict[Context, _ByPart] = {
    "next_visit": {
        "popularity-1000": (
            (1.10, 0.77, 0.87, 0.61, 0.63, 0.31, 0.75),
            (-0.09, 0.33, 0.39, 0.28, 0.41, 0.21, 0.27),
        ),
        "popularity-16000": (
            (-0.26, -0.37, -0.38, -0.25, -0.10, -0.07, 0.11),
            (0.34, 0.08, 0.23, 0.18, -0.02, 0.23, 0.32),
        ),
        "popularity": (
            (-0.12, -0.59, -0.79, -0.59, -0.51, -0.42, -0.59),
            (0.06, 0.16, 0.32, -0.01, 0.08, 0.02, 0.02),
        ),
        "rp3beta": (
            (0.00, -0.16, -0.14, -0.16, -0.04, -0.23, -0.28),
            (0.00, -0.11, -0.04, -0.07, 0.02, -0.26, -0.32),
        ),
        "rp3beta-recent": (
            (0.00, 0.11, 0.12, -0.11, -0.05, 0.11, 0.01),
            (0.00, 0.08, 0.12, 0.05, -0.03, -0.04, -0.02),
        ),
        "ease": (
            (0.00, -0.14, -0.09, 0.13, -0.09, 0.04, 0.01),
            (0.00, 0.06, -0.17, 0.25, 0.02, 0.32, 0.05),
        ),
        "ease-recent": (
            (0.00, 0.13, 0.16, 0.11, 0.18, 0.03, 0.12),
            (0.00, 0.09, 0.02, 0.01, 0.14, 0.09, 0.02),
        ),
        "hybrid": (
            (0.00, 0.90, 0.94, 0.92, 0.92, 0.89, 0.82),
            (0.00, 0.14, 0.16, 0.06, 0.03, 0.06, 0.08),
        ),
        "successors": (
            (0.00, 0.13, -0.04, 0.18, 0.06, 0.11, -0.06),
            (0.00, 0.12, 0.21, 0.06, 0.11, 0.01, 0.00),
        ),
        "new_titles": (
            (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
            (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
        ),
    },
    "session": {
        "popularity-1000": (
            (1.10, 0.51, 0.28, 0.27, -0.03, 0.21, 0.02),
            (-0.09, 0.34, -0.07, 0.10, 0.03, 0.14, 0.06),
        ),
        "popularity-16000": (
            (-0.26, 0.29, 0.44, 0.02, 0.07, 0.10, 0.10),
            (0.34, -0.01, 0.24, 0.00, 0.17, -0.02, 0.14),
        ),
        "popularity": (
            (-0.12, -0.35, -0.12, -0.54, -0.18, -0.31, -0.49),
            (0.06, -0.29, -0.28, -0.17, -0.14, 0.00, 0.04),
        ),
        "rp3beta": (
            (0.00, -0.19, -0.21, -0.09, -0.28, -0.28, -0.28),
            (0.00, -0.11, -0.05, -0.09, -0.27, -0.13, -0.13),
        ),
        "rp3beta-recent": (
            (0.00, 0.27, 0.21, 0.31, 0.30, 0.11, 0.20),
            (0.00, 0.10, 0.02, 0.01, 0.06, -0.09, -0.07),
        ),
        "ease": (
            (0.00, 0.05, 0.07, 0.18, 0.27, 0.03, 0.49),
            (0.00, -0.04, 0.03, 0.00, 0.03, 0.08, 0.01),
        ),
        "ease-recent": (
            (0.00, -0.03, -0.03, 0.09, 0.17, 0.19, 0.08),
            (0.00, 0.08, 0.09, 0.14, 0.01, 0.16, 0.10),
        ),
        "hybrid": (
            (0.00, 1.18, 1.32, 0.99, 1.15, 1.18, 1.24),
            (0.00, -0.09, -0.03, 0.03, 0.06, 0.10, 0.05),
        ),
        "successors": (
            (0.00, 0.06, 0.04, -0.01, 0.15, 0.01, 0.18),
            (0.00, 0.26, 0.37, 0.29, 0.34, 0.22, 0.21),
        ),
        "new_titles": (
            (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
            (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
        ),
    },
}
"""Of each part the weights of its spread and of its rank, one for each of `COHORTS`."""


def default_weights(context: Context, parts: Sequence[str]) -> NDArray[np.float64]:
    """float64, shape (n_cohorts, 2 * n_parts): spreads first, then ranks; 0 for unknown parts."""
    weights = np.zeros((len(COHORTS), 2 * len(parts)))
    for column, part in enumerate(parts):
        if part in WEIGHTS[context]:
            spread, rank = WEIGHTS[context][part]
            weights[:, column], weights[:, len(parts) + column] = spread, rank
    return weights


def default_combination(parts: Sequence[str]) -> Combination:
    """What ranks where no validation split has evaluated members."""
    return Combination(
        tuple(parts),
        {
            "next_visit": default_weights("next_visit", parts),
            "session": default_weights("session", parts),
        },
    )
