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
            (0.97, 0.69, 0.94, 0.70, 0.82, 0.47, 0.85),
            (-0.07, 0.28, 0.19, 0.14, 0.19, 0.14, 0.21),
        ),
        "popularity-16000": (
            (-0.20, -0.33, -0.26, -0.28, -0.07, -0.08, 0.21),
            (0.28, -0.04, -0.01, 0.00, -0.09, 0.13, 0.24),
        ),
        "popularity": (
            (-0.10, -0.65, -0.73, -0.59, -0.55, -0.51, -0.55),
            (0.05, 0.36, 0.45, 0.14, 0.13, 0.10, 0.14),
        ),
        "rp3beta": (
            (0.00, -0.25, -0.23, -0.13, -0.11, -0.22, -0.37),
            (0.00, -0.17, -0.12, -0.08, -0.10, -0.19, -0.39),
        ),
        "rp3beta-recent": (
            (0.00, 0.13, 0.08, -0.12, -0.04, 0.10, -0.05),
            (0.00, 0.11, 0.15, 0.04, 0.14, -0.03, -0.04),
        ),
        "ease": (
            (0.00, 0.03, -0.05, 0.17, 0.05, 0.02, 0.04),
            (0.00, 0.11, 0.00, 0.19, 0.09, 0.27, 0.02),
        ),
        "ease-recent": (
            (0.00, 0.00, 0.07, 0.06, -0.03, -0.03, 0.08),
            (0.00, -0.07, 0.11, 0.03, 0.15, 0.12, 0.05),
        ),
        "successors": (
            (0.00, 0.19, 0.07, 0.26, 0.02, 0.06, -0.01),
            (0.00, 0.21, 0.10, 0.15, 0.24, 0.10, 0.01),
        ),
        "hybrid": (
            (0.00, 0.93, 0.94, 1.08, 0.88, 0.92, 0.83),
            (0.00, 0.26, 0.15, 0.05, 0.07, 0.08, 0.20),
        ),
        "new_titles": (
            (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
            (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
        ),
    },
    "session": {
        "popularity-1000": (
            (0.97, 0.59, 0.15, 0.39, 0.03, 0.14, -0.01),
            (-0.07, 0.28, 0.10, 0.19, 0.07, 0.21, 0.10),
        ),
        "popularity-16000": (
            (-0.20, 0.25, 0.54, 0.16, 0.01, 0.12, 0.10),
            (0.28, -0.08, 0.04, -0.04, 0.16, 0.04, 0.11),
        ),
        "popularity": (
            (-0.10, -0.21, -0.01, -0.39, -0.24, -0.35, -0.49),
            (0.05, -0.30, -0.31, -0.18, -0.12, -0.06, 0.07),
        ),
        "rp3beta": (
            (0.00, -0.07, -0.34, -0.33, -0.21, -0.23, -0.21),
            (0.00, -0.24, -0.15, -0.31, -0.22, -0.16, -0.16),
        ),
        "rp3beta-recent": (
            (0.00, 0.45, 0.33, 0.18, 0.33, 0.13, 0.19),
            (0.00, 0.07, 0.20, 0.06, 0.01, -0.09, -0.08),
        ),
        "ease": (
            (0.00, -0.04, -0.08, 0.26, 0.18, 0.03, 0.49),
            (0.00, 0.04, 0.02, 0.06, 0.10, 0.09, -0.02),
        ),
        "ease-recent": (
            (0.00, -0.05, 0.13, 0.08, 0.15, 0.18, 0.13),
            (0.00, 0.13, -0.03, 0.00, 0.03, 0.19, 0.05),
        ),
        "successors": (
            (0.00, 0.06, 0.18, 0.14, 0.22, -0.01, 0.21),
            (0.00, 0.20, 0.31, 0.21, 0.32, 0.18, 0.22),
        ),
        "hybrid": (
            (0.00, 1.13, 1.24, 1.02, 1.13, 1.03, 1.23),
            (0.00, -0.03, -0.06, 0.09, 0.03, 0.12, 0.06),
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
