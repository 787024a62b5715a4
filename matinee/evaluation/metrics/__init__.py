"""Metrics of slates: per member (`accuracy`), of all slates (`beyond_accuracy`), and `intervals`.

A metric per member is a function `(slates, truth) -> float64, shape (n_members,)`; `PER_MEMBER`
names them. To add one, write the function and add its name here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.evaluation.metrics.accuracy import (
    auc,
    average_precision,
    hit,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
)
from matinee.evaluation.metrics.beyond_accuracy import (
    calibration,
    coverage,
    exposure,
    gini,
    intra_list_diversity,
    novelty,
    serendipity,
)
from matinee.evaluation.metrics.intervals import (
    Interval,
    bootstrap,
    bootstrap_columns,
    paired_bootstrap,
)

Metric: TypeAlias = Callable[[NDArray[np.intp], sp.csr_array[np.bool_]], NDArray[np.float64]]

PER_MEMBER: Mapping[str, Metric] = {
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "average_precision": average_precision,
    "reciprocal_rank": reciprocal_rank,
    "hit": hit,
}

__all__ = [
    "PER_MEMBER",
    "Interval",
    "Metric",
    "auc",
    "average_precision",
    "bootstrap",
    "bootstrap_columns",
    "calibration",
    "coverage",
    "exposure",
    "gini",
    "hit",
    "intra_list_diversity",
    "ndcg",
    "novelty",
    "paired_bootstrap",
    "precision",
    "recall",
    "reciprocal_rank",
    "serendipity",
]
