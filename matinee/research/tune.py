"""Looks for better numbers of a model, on validation data only.

A protocol holds out what judges models in the end; here the same protocol is held once more on
what is left, and only that second part is looked at. What was found is printed, never taken up by
itself: the defaults in `hybrid.Hyperparameters` change by a commit that says why.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matinee.errors import ConfigError, DataError
from matinee.evaluation import metrics, splits
from matinee.matrices import has_interactions
from matinee.models import feature_families, hybrid
from matinee.research import baselines, datasets, rank, tuner
from matinee.research.baselines import Task
from matinee.settings import Settings


@dataclass(frozen=True)
class Tuned:
    """What a search found."""

    history: str
    protocol: str
    trials: int
    default: float
    best: float
    parameters: dict[str, Any]
    path: Path
    """Where this is written down, beside the study."""

    def rows(self) -> list[dict[str, Any]]:
        """One line a number: the default, and what was found."""
        before = asdict(hybrid.Hyperparameters())
        return [
            {"parameter": name, "default": f"{before[name]:g}", "found": f"{value:g}"}
            for name, value in self.parameters.items()
        ]


def tune(
    path: Path,
    settings: Settings,
    *,
    protocol: splits.Name,
    budget_seconds: float,
    progress: Callable[[int, float], None] | None = None,
) -> Tuned:
    """Search for so many seconds, or go on with an earlier search of the same history."""
    history = datasets.read(path, settings)
    task = baselines.task(history, feature_families.HYBRID, protocol, seed=settings.seed)
    folder = settings.folder("tuning")
    name = f"{history.name}-{protocol}"
    found = search(
        task,
        study=name,
        path=folder / "studies.db",
        budget_seconds=budget_seconds,
        progress=progress,
    )
    parameters = dict(task.tuned(found.parameters).numbers)
    written = folder / f"{name}.json"
    tuned = Tuned(
        history.name, protocol, found.trials, found.first, found.best, parameters, written
    )
    told = asdict(tuned) | {"path": written.name, "found_at": datetime.now(UTC).isoformat()}
    written.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return tuned


def search(
    task: Task,
    *,
    study: str = "study",
    path: Path | None = None,
    budget_seconds: float = math.inf,
    trials: float = math.inf,
    progress: Callable[[int, float], None] | None = None,
) -> tuner.Found:
    """The numbers with which a model does best on the task's inner frame, its defaults first."""
    if task.inner is None:
        raise ConfigError("nothing is held out within to tune by: give the task an inner frame")
    within = replace(task, frame=task.inner, inner=None)
    truth = task.inner.truth()
    if not truth.nnz:
        raise DataError(
            f"nobody met anything new in what {task.protocol!r} holds out within, so nobody can "
            "judge a search: take another protocol or a longer history"
        )

    def judge(numbers: Mapping[str, float]) -> float:
        slates = rank.ask(within.tuned(numbers)).slates
        return float(metrics.ndcg(slates, truth[has_interactions(truth)]).mean())

    return tuner.search(
        judge,
        task.ranges,
        defaults={name: task.number(name) for name in task.ranges},
        seed=task.seed,
        study=study,
        path=path,
        budget_seconds=budget_seconds,
        trials=trials,
        progress=progress,
    )
