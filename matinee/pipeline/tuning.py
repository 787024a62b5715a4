"""Looks for better hyperparameters of the hybrid, on validation data only.

A protocol holds out what judges models in the end; here the same protocol is held once more on
what is left, and only that second part is looked at. What was found is printed, never taken up by
itself: the defaults in `hybrid.Hyperparameters` change by a commit that says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from matinee import hybrid, metrics, ranking, splits, tuner
from matinee.pipeline import histories, training
from matinee.pipeline.benchmark import PLACES, Task, candidates
from matinee.settings import Settings

RANGES: dict[str, tuner.Range] = {
    "components": tuner.Range(16, 128, whole=True),
    "epochs": tuner.Range(5, 60, whole=True),
    "learning_rate": tuner.Range(0.005, 0.08),
    "title_alpha": tuner.Range(1e-6, 1e-3),
    "member_alpha": tuner.Range(1e-6, 1e-3),
    "max_sampled": tuner.Range(10, 100, whole=True),
    "member_shrinkage": tuner.Range(0.1, 20),
    "linear_penalty": tuner.Range(20, 3000),
    "linear_share": tuner.Range(0.0, 0.8, log=False),
    "recent_titles": tuner.Range(1, 100),
    "trend_weight": tuner.Range(0.0, 1.0, log=False),
    "trend_half_life_days": tuner.Range(3, 100),
}
"""Where each number is looked for."""

OF_TIME = ("recent_titles", "trend_weight", "trend_half_life_days")
"""Left out where time does not matter."""


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
    history = histories.read(path, settings)
    known = history.hold_out(protocol, seed=settings.seed)
    frame = history.within(known, protocol, seed=settings.seed + 1)
    truth = frame.truth()
    judged = np.flatnonzero(np.diff(truth.indptr))
    seen = frame.seen()[judged]
    allowed = candidates(frame, protocol)
    base = Task(training.HYBRID, frame, protocol, settings.seed).hyperparameters
    ranges = {
        name: where
        for name, where in RANGES.items()
        if protocol in histories.IN_TIME or name not in OF_TIME
    }

    def judge(parameters: Mapping[str, float]) -> float:
        model, features = training.fitted(frame, training.HYBRID, _with(base, parameters, ranges))
        slates, _ = ranking.best_titles(
            model.member_vectors(features.members)[judged],
            model.title_vectors(features.titles),
            PLACES,
            excluded=seen,
            allowed=allowed,
        )
        return float(metrics.ndcg(slates, truth[judged]).mean())

    folder = settings.folder("tuning")
    name = f"{history.name}-{protocol}"
    found = tuner.search(
        judge,
        ranges,
        defaults={key: float(getattr(base, key)) for key in ranges},
        study=name,
        path=folder / "studies.db",
        budget_seconds=budget_seconds,
        seed=settings.seed,
        progress=progress,
    )
    best = asdict(_with(base, found.parameters, ranges))
    parameters = {key: best[key] for key in ranges}
    written = folder / f"{name}.json"
    tuned = Tuned(
        history.name, protocol, found.trials, found.first, found.best, parameters, written
    )
    told = asdict(tuned) | {"path": written.name, "found_at": datetime.now(UTC).isoformat()}
    written.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return tuned


def _with(
    base: hybrid.Hyperparameters,
    parameters: Mapping[str, float],
    ranges: Mapping[str, tuner.Range],
) -> hybrid.Hyperparameters:
    values: dict[str, Any] = {
        name: round(value) if ranges[name].whole else value for name, value in parameters.items()
    }
    return replace(base, **values)
