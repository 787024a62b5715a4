"""Fits one model and asks it for the first places of all who can be judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import PLACES
from matinee.evaluation import metrics, splits
from matinee.models.frame import Frame
from matinee.research import baselines
from matinee.research.baselines import Numbers, Task
from matinee.slates import ranking

BLOCK = 128


@dataclass(frozen=True)
class Answer:
    """What one model says; arrays have one row per member who can be judged."""

    slates: NDArray[np.intp]
    auc: NDArray[np.float64]
    """NaN unless asked for: it looks at all titles of every member."""

    chosen: Numbers
    """What the model settled by itself, on what is held out within."""


def ask(task: Task, *, with_auc: bool = False) -> Answer:
    """Learn from what the frame knows, and rank for those who can be judged."""
    learned = baselines.learn(task)
    frame, truth, seen = task.frame, task.frame.truth(), task.frame.seen()
    judged = np.flatnonzero(np.diff(truth.indptr))
    allowed = candidates(frame, task.protocol)
    slates = np.full((len(judged), PLACES), ranking.NONE, np.intp)
    area = np.full(len(judged), np.nan)
    for start in range(0, len(judged), BLOCK):
        members = judged[start : start + BLOCK]
        block = np.ascontiguousarray(learned.scores(members), np.float32)
        slates[start : start + BLOCK], _ = ranking.best_of_scores(
            block, np.arange(len(members)), PLACES, excluded=seen[members], allowed=allowed
        )
        if with_auc:
            out = seen[members].toarray() | ~allowed
            out &= ~truth[members].toarray()
            others = sp.csr_array(out)
            area[start : start + BLOCK] = metrics.auc(block, truth[members], excluded=others)
    return Answer(slates, area, learned.chosen)


def candidates(frame: Frame, protocol: splits.Name) -> NDArray[np.bool_]:
    """Which titles are ranked, bool, shape (n_titles,)."""
    everything = np.ones(frame.shape[1], np.bool_)
    if protocol != "cold-titles":
        return everything
    everything[frame.rows(frame.signals)[1]] = False
    return everything
