"""The lists of each part alone: what the published lists are compared with."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import PLACES
from matinee.models.parts import Parts
from matinee.slates import ranking

FOR_ALL = "popularity-16000"
"""The part that a baseline falls back to for members without interactions."""

BLOCK = 512
"""Members that a baseline ranks at once."""


def baseline(
    parts: Parts,
    name: str,
    members: NDArray[np.intp],
    *,
    excluded: sp.csr_array[np.bool_],
    allowed: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """The first places by one part alone, intp, shape (n_members, PLACES).

    Parts that need a history rank by popularity for members without interactions.
    """
    part, popular = parts.by_name[name], parts.by_name[FOR_ALL]
    known = parts.history.lengths()[members] > 0
    rows = np.full((len(members), PLACES), ranking.NONE, np.intp)
    for start in range(0, len(members), BLOCK):
        block = slice(start, start + BLOCK)
        scores = np.array(part.scores(members[block]), np.float32)
        unknown = ~known[block]
        if part.needs_history and unknown.any():
            scores[unknown] = popular.scores(members[block][unknown])
        rows[block], _ = ranking.best_of_scores(
            scores, np.arange(len(scores)), PLACES, excluded=excluded[block], allowed=allowed
        )
    return rows
