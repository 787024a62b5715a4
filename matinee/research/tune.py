"""Searches hyperparameters of the hybrid, on validation data only.

A protocol holds out the final test set; here the same protocol is applied again to
the rest, and only that validation split is used. The result is printed, and never applied
automatically: the defaults in `hybrid.Hyperparameters` change by a commit that says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from matinee.columns import PLACES
from matinee.errors import DataError
from matinee.evaluation import metrics, splits
from matinee.matrices import has_interactions
from matinee.models import fits, hybrid
from matinee.models.frame import Frame
from matinee.research import datasets, tuner
from matinee.research.tuner import Range
from matinee.settings import Settings
from matinee.slates import ranking

RANGES = {
    "components": Range(8, 128, whole=True),
    "epochs": Range(5, 60, whole=True),
    "learning_rate": Range(0.005, 0.08),
    "title_alpha": Range(1e-6, 1e-3),
    "member_alpha": Range(1e-6, 1e-3),
    "max_sampled": Range(10, 100, whole=True),
    "member_shrinkage": Range(0.1, 20),
}
"""The hyperparameters of the hybrid that are looked at."""


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
    frame = history.hold_out(protocol, seed=settings.seed)
    inner = frame.time_cut() if protocol == "time" else frame.last_titles()
    if inner is None:
        raise DataError(
            f"no member has a new title in what {protocol!r} holds out within: take another "
            "protocol or a longer history"
        )
    folder = settings.folder("tuning")
    name = f"{history.name}-{protocol}"
    usual = asdict(hybrid.Hyperparameters(seed=settings.seed))
    found = tuner.search(
        lambda numbers: ndcg(inner, numbers, seed=settings.seed),
        RANGES,
        defaults={key: usual[key] for key in RANGES},
        seed=settings.seed,
        study=name,
        path=folder / "studies.db",
        budget_seconds=budget_seconds,
        progress=progress,
    )
    parameters = whole(found.parameters)
    written = folder / f"{name}.json"
    tuned = Tuned(
        history.name, protocol, found.trials, found.first, found.best, parameters, written
    )
    document = asdict(tuned) | {"path": written.name, "found_at": datetime.now(UTC).isoformat()}
    written.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return tuned


def whole(numbers: Mapping[str, float]) -> dict[str, Any]:
    """The numbers with those rounded that are counts."""
    return {name: round(value) if RANGES[name].whole else value for name, value in numbers.items()}


def ndcg(frame: Frame, numbers: Mapping[str, float], *, seed: int) -> float:
    """NDCG@10 of the hybrid alone on what a frame holds out."""
    hyperparameters = replace(hybrid.Hyperparameters(seed=seed), **whole(numbers))
    model, features = fits.fit_hybrid(frame, hyperparameters)
    truth = frame.truth()
    members = np.flatnonzero(has_interactions(truth))
    slates, _ = ranking.best_titles(
        model.member_vectors(features.members)[members],
        model.title_vectors(features.titles),
        PLACES,
        excluded=frame.seen()[members],
    )
    return float(metrics.ndcg(slates, truth[members]).mean())
