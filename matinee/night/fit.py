"""Fits the models of a night, each from a frame that lies under `work/`.

The siblings of the hybrid learn in the same way from the same signals and judge what each half is
worth: `collaborative` knows titles and members by their ids only, `content` knows titles by what is
in them only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from matinee import releases
from matinee.errors import StorageError
from matinee.models import hybrid
from matinee.models.feature_families import (
    COLLABORATIVE,
    CONTENT,
    HYBRID,
    MEMBER_WEIGHTS,
    MINIMUM_SUPPORT,
    TITLE_WEIGHTS,
    Described,
    described,
)
from matinee.models.fits import Fitted, fitted, timeless
from matinee.models.frame import Frame, in_days
from matinee.models.warm_start import Start
from matinee.night.frame import COLD, INNER, JUDGED, PUBLISHED, read_frame
from matinee.night.model_files import load_model, save_model
from matinee.night.night import Night
from matinee.progress import Progress

CHOSEN = "chosen.json"
"""Under `work/`: what `trending` chose for the night."""

OF_TREND = ("trend_weight", "trend_half_life_days")

WARM_EPOCHS = 8
"""Passes over the interactions when the hybrid goes on from an earlier release."""

FITS = (
    (PUBLISHED, HYBRID),  # the longest first: two run side by side
    (JUDGED, HYBRID),
    (INNER, HYBRID),
    (COLD, HYBRID),
    (JUDGED, CONTENT),
    (COLD, CONTENT),
    (JUDGED, COLLABORATIVE),
)
"""Every (frame, model) of a night; of frames within where there are any."""


@dataclass(frozen=True)
class Chosen:
    """What a night found out about its slates before it judged them."""

    trend_weight: float
    trend_half_life_days: float
    calibration_weight: float

    def trend(self, usual: hybrid.Hyperparameters) -> hybrid.Hyperparameters:
        """The same hyperparameters with this trend."""
        return replace(usual, **{name: getattr(self, name) for name in OF_TREND})

    def write(self, work: Path) -> None:
        """Leave it to the steps that follow."""
        (work / CHOSEN).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, work: Path) -> Chosen:
        """Take up what `trending` left.

        Raises
        ------
        StorageError
            If it left nothing: the night got no further, or was an older version's.
        """
        try:
            return cls(**json.loads((work / CHOSEN).read_text()))
        except OSError as error:
            raise StorageError(
                f"the last night left no {CHOSEN}: {error}; run `matinee run` once more"
            ) from None


def within(night: Night, judged: Frame) -> Frame | None:
    """The frame to choose by: None where time does not judge, too few could, or all is warm."""
    if not judged.follows_time or earlier(night, judged):
        return None
    return judged.validation_split(seed=night.settings.seed)


def cold(night: Night, judged: Frame) -> Frame | None:
    """The frame to choose what orders cold titles: None without any, or for a warm start."""
    if read_frame(night.work(PUBLISHED)).cold_title_count() < 2 or earlier(night, judged):
        return None
    return judged.cold_title_split(seed=night.settings.seed)


def fit(night: Night, frame_name: str, model: str, progress: Progress | None = None) -> None:
    """Fit one model of `FITS`; it is left in `work/silent-<frame>-<model>/`, without a trend.

    With `warm_start` the hybrid goes on from an earlier release for `WARM_EPOCHS`, and the gate
    judges it as it judges any other.
    """
    inner = {INNER: within, COLD: cold}.get(frame_name)
    known = read_frame(night.work(JUDGED if inner else frame_name))
    frame = inner(night, known) if inner else known
    if frame is None:
        return
    usual = hybrid.Hyperparameters(seed=night.settings.seed, trend_weight=0.0)
    hyperparameters = usual if frame.follows_time else timeless(usual)
    before = earlier(night, frame) if model == HYBRID else None
    if before:
        hyperparameters = replace(hyperparameters, epochs=WARM_EPOCHS)
    learned, _ = fitted(
        frame,
        model,
        hyperparameters,
        start=before.start if before else None,
        progress=(lambda done, total: progress(done, total, model)) if progress else None,
    )
    folder = silent(night, frame_name, model)
    folder.mkdir()
    save_model(learned, folder)


def silent(night: Night, frame_name: str, model: str) -> Path:
    """Where `fit` leaves a model."""
    return night.work(f"silent-{frame_name}-{model}")


def left(night: Night, frame_name: str, model: str) -> Fitted:
    """What `fit` left; features do not depend on what is held out within."""
    within_judged = frame_name in (INNER, COLD)
    frame = read_frame(night.work(JUDGED if within_judged else frame_name))
    learned = load_model(silent(night, frame_name, model))
    return learned, described(frame, model)


@dataclass(frozen=True)
class Earlier:
    """A release to go on from."""

    release: releases.Release

    def trend(self, usual: hybrid.Hyperparameters) -> hybrid.Hyperparameters:
        """The same hyperparameters, with the trend it had chosen where a cut in time let it."""
        if self.release.manifest["evaluation"]["cut"] is None:
            return usual
        had = self.release.manifest["model"]["hyperparameters"]
        return replace(usual, **{name: had[name] for name in OF_TREND if name in had})

    @property
    def cold_start_content(self) -> float:
        """The weight of the content model in the order of cold titles."""
        had = hybrid.field_names(self.release.manifest["model"]["hyperparameters"])
        return float(had.get("cold_start_content", 0.0))

    def start(self, features: Described) -> Start:
        """What it knew of these features."""
        path = self.release.path
        model = load_model(path / "model", hyperparameters=path / "hyperparameters.json")
        members, titles = (
            self.release.table(f"vocabulary/{side}_features.parquet")["name"].to_pylist()
            for side in ("member", "title")
        )
        return model.start(members, titles, features.members, features.titles)


def earlier(night: Night, frame: Frame) -> Earlier | None:
    """The newest release that passed the gate and that knew nothing of what judges tonight.

    None without `warm_start`, and None for both frames when there is none for the judged one: what
    is published is made in the way that was judged.
    """
    if not night.settings.warm_start:
        return None
    home = night.home
    kept = releases.Store.of(home).list()
    sound = [
        release
        for release in kept
        if all(rule["passed"] for rule in release.manifest["gate"]["rules"])
        and release.manifest["model"]["hyperparameters"]["components"]
        == hybrid.Hyperparameters().components
    ]
    found = None
    for known in (read_frame(night.work(JUDGED)), frame):
        instant = known.as_of
        if len(known.held_out):
            first = pc.min(known.held_out["interacted_at"]).as_py().replace(tzinfo=UTC)
            instant = min(instant, first)
        before = [one for one in sound if datetime.fromisoformat(one.manifest["as_of"]) <= instant]
        if not before:
            return None
        newest = max(
            before, key=lambda one: (datetime.fromisoformat(one.manifest["as_of"]), one.id)
        )
        found = Earlier(newest)
    return found


def load(night: Night, frame_name: str, model: str) -> hybrid.HybridModel:
    """A model of `FITS` as `trending` left it."""
    return load_model(night.work(f"{frame_name}-{model}"))


def facts(night: Night, frame: Frame) -> dict[str, Any]:
    """The published model, for the manifest."""
    features = described(frame, HYBRID)
    return {
        "kind": "LightFM hybrid",
        "hyperparameters": load(night, PUBLISHED, HYBRID).hyperparameters.stored(),
        "calibration_weight": Chosen.read(night.work("")).calibration_weight,
        "recency_half_life_days": in_days(frame.half_life_days),
        "popularity_half_life_days": in_days(frame.popular_half_life_days),
        "minimum_support": MINIMUM_SUPPORT,
        "member_feature_weights": MEMBER_WEIGHTS,
        "title_feature_weights": TITLE_WEIGHTS,
        "members": len(frame.members),
        "titles": len(frame.titles),
        "member_features": len(features.members.names),
        "title_features": len(features.titles.names),
        "interactions": frame.interactions().nnz,
        "continued_from": before.release.id if (before := earlier(night, frame)) else None,
    }
