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
            (0.42, 0.49, 0.44, 0.46, 0.57, 0.40, 0.58),
            (0.13, 0.11, 0.05, 0.06, 0.17, 0.10, 0.18),
        ),
        "popularity-16000": (
            (0.43, 0.53, 0.53, 0.49, 0.57, 0.40, 0.69),
            (0.19, 0.13, 0.12, 0.08, 0.08, 0.13, 0.27),
        ),
        "popularity": (
            (-0.16, -0.52, -0.47, -0.51, -0.57, -0.58, -0.62),
            (-0.05, -0.02, 0.03, 0.02, -0.11, 0.01, 0.01),
        ),
        "rp3beta": (
            (0.00, -0.27, -0.28, -0.24, -0.20, -0.31, -0.43),
            (0.00, -0.38, -0.42, -0.30, -0.39, -0.51, -0.54),
        ),
        "rp3beta-recent": (
            (0.00, 0.24, 0.23, 0.27, 0.29, 0.36, 0.07),
            (0.00, 0.04, 0.00, 0.07, 0.03, -0.01, -0.02),
        ),
        "ease": (
            (0.00, 0.10, 0.12, 0.05, 0.15, 0.16, 0.09),
            (0.00, 0.19, 0.18, 0.20, 0.16, 0.31, 0.14),
        ),
        "ease-recent": (
            (0.00, -0.05, -0.02, -0.10, -0.02, -0.07, -0.00),
            (0.00, 0.10, 0.09, 0.15, 0.14, 0.05, 0.07),
        ),
        "hybrid": (
            (0.00, 0.63, 0.63, 0.62, 0.67, 0.71, 0.62),
            (0.00, 0.22, 0.21, 0.20, 0.19, 0.17, 0.19),
        ),
        "successors": (
            (0.00, 0.02, 0.02, -0.03, -0.04, 0.09, -0.04),
            (0.00, -0.01, -0.01, -0.07, -0.05, 0.05, -0.04),
        ),
        "new_titles": (
            (-0.12, 0.02, 0.02, 0.04, -0.04, 0.19, -0.03),
            (0.02, 0.11, 0.11, 0.14, 0.06, 0.25, 0.07),
        ),
    },
    "session": {
        "popularity-1000": (
            (0.42, 0.00, -0.06, 0.05, -0.09, 0.04, 0.02),
            (0.13, 0.09, 0.04, 0.12, 0.04, 0.17, 0.12),
        ),
        "popularity-16000": (
            (0.43, 0.02, -0.02, 0.00, -0.05, 0.04, 0.04),
            (0.19, -0.02, -0.09, -0.00, 0.08, -0.05, 0.12),
        ),
        "popularity": (
            (-0.16, -0.36, -0.26, -0.48, -0.31, -0.39, -0.52),
            (-0.05, 0.02, 0.06, 0.03, 0.05, 0.08, 0.10),
        ),
        "rp3beta": (
            (0.00, -0.13, -0.17, -0.22, -0.15, -0.11, -0.20),
            (0.00, -0.18, -0.03, -0.25, -0.30, -0.16, -0.19),
        ),
        "rp3beta-recent": (
            (0.00, 0.24, 0.20, 0.17, 0.41, 0.13, 0.19),
            (0.00, -0.01, 0.00, -0.07, 0.05, -0.02, -0.09),
        ),
        "ease": (
            (0.00, 0.44, 0.41, 0.49, 0.31, 0.38, 0.67),
            (0.00, -0.10, -0.09, -0.04, 0.00, -0.11, -0.05),
        ),
        "ease-recent": (
            (0.00, 0.12, 0.13, 0.15, 0.11, 0.10, 0.10),
            (0.00, -0.00, -0.01, 0.04, -0.03, 0.07, 0.08),
        ),
        "hybrid": (
            (0.00, 0.65, 0.61, 0.58, 0.64, 0.69, 0.69),
            (0.00, 0.21, 0.07, 0.23, 0.19, 0.28, 0.16),
        ),
        "successors": (
            (0.00, 0.26, 0.43, 0.15, 0.24, 0.12, 0.18),
            (0.00, 0.38, 0.37, 0.26, 0.38, 0.24, 0.22),
        ),
        "new_titles": (
            (-0.12, -0.19, -0.20, -0.14, -0.32, -0.10, -0.17),
            (0.02, -0.36, -0.36, -0.34, -0.45, -0.29, -0.40),
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
