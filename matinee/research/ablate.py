"""Ablation of demographics: the hybrid with and without them, on the last evaluation frame."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from matinee.columns import PLACES
from matinee.errors import ConfigError
from matinee.evaluation import comparison, gate, metrics
from matinee.evaluation.names import EVERYONE
from matinee.models import fits, hybrid
from matinee.models.frame import Frame
from matinee.night.frame import EVALUATED, read_frame
from matinee.progress import Progress
from matinee.settings import Settings
from matinee.slates import ranking

DEMOGRAPHICS = ("country", "plan", "language")
"""Columns that describe a member, not the member's history. Age and gender are no feature."""

WITHOUT = "without_demographics"

METRIC = f"ndcg@{PLACES}"

SEEDS = 3
"""Fits of each: one fit differs from another by more than demographics change."""


@dataclass(frozen=True)
class Ablated:
    """The two models by cohort, and whether the gate finds a difference."""

    rows: list[comparison.Row]
    verdict: gate.Verdict


def ablate(settings: Settings, progress: Progress | None = None) -> Ablated:
    """Fit the hybrid on the last night's evaluation frame, with and without demographics.

    Raises
    ------
    ConfigError
        If no night has left a frame.
    """
    folder = settings.home.resolve() / "work" / EVALUATED
    if not folder.is_dir():
        raise ConfigError(
            f"no frame in {folder}: a night with a full evaluation leaves it, run "
            "`matinee run --full-evaluation` first"
        )
    frame = read_frame(folder)
    usual = hybrid.Hyperparameters(seed=settings.seed)
    return compare(frame, usual, progress=progress)


def compare(
    frame: Frame,
    hyperparameters: hybrid.Hyperparameters,
    *,
    columns: Sequence[str] = DEMOGRAPHICS,
    progress: Progress | None = None,
) -> Ablated:
    """The hybrid with and without some columns of its members, by what the frame holds out.

    Each member's NDCG is the mean of `SEEDS` fits.
    """
    here = frame.in_catalogue
    truth, seen = frame.truth(), frame.seen()
    versions = {fits.HYBRID: frame, WITHOUT: without(frame, columns)}
    values = {name: np.zeros(len(frame.members)) for name in versions}
    for done, (name, nth) in enumerate(itertools.product(versions, range(SEEDS))):
        if progress:
            progress(done, SEEDS * len(versions), name)
        numbers = replace(hyperparameters, seed=hyperparameters.seed + nth)
        model, features = fits.fit_hybrid(versions[name], numbers)
        slates, _ = ranking.best_titles(
            model.member_vectors(features.members),
            model.title_vectors(features.titles),
            PLACES,
            excluded=seen,
            allowed=here,
        )
        values[name] += metrics.ndcg(slates, truth) / SEEDS
    counts = np.bincount(frame.interactions().row, minlength=len(frame.members))
    rows = comparison.compared(
        values,
        comparison.cohorts(counts),
        metric=METRIC,
        candidate=WITHOUT,
        seed=hyperparameters.seed,
    )
    baseline = next(row for row in rows if (row["model"], row["cohort"]) == (fits.HYBRID, EVERYONE))
    verdict = gate.not_worse(baseline)
    return Ablated(rows, verdict)


def without(frame: Frame, columns: Sequence[str]) -> Frame:
    """The same frame with nothing known in some columns of its members."""
    table = frame.member_features
    for name in columns:
        empty = pa.nulls(len(table), table.schema.field(name).type)
        table = table.set_column(table.schema.get_field_index(name), name, empty)
    return replace(frame, member_features=table)
