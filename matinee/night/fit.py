"""Fits the parts of a combination, each set of them from a frame that lies under `work/`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow.compute as pc

from matinee import releases
from matinee.models import hybrid
from matinee.models.feature_families import (
    MEMBER_WEIGHTS,
    MINIMUM_SUPPORT,
    TITLE_WEIGHTS,
    Described,
    described,
)
from matinee.models.fits import HYBRID, Fit, fit_all, hybrid_part, one_thread
from matinee.models.frame import Frame, in_days
from matinee.models.warm_start import Start
from matinee.night.frame import EVALUATED, PUBLISHED, SPLITS, frames, read_frame
from matinee.night.model_files import load_model, load_parts, save_model, save_parts
from matinee.night.night import Night
from matinee.progress import Progress
from matinee.provenance import failed_rules, parse_json

WARM_EPOCHS = 8
"""Passes over the interactions when the hybrid goes on from an earlier release."""

FITS = SPLITS
"""The frames that are fitted, the longest first: two run side by side."""

NAMES = "parts.json"
"""The names of the parts in their order, beside their arrays."""


def fit(night: Night, frame_name: str, progress: Progress | None = None) -> None:
    """Fit every part on one of `FITS`, and leave it in `work/fit-<frame>/`.

    Nothing is left where the night has no such frame. With `warm_start` the hybrid goes on from an
    earlier release for `WARM_EPOCHS`, and the gate evaluates it as any other.
    """
    frame = frames(night).get(frame_name)
    if frame is None:
        return
    hyperparameters = hybrid.Hyperparameters(seed=night.settings.seed)
    before = earlier(night, frame)
    if before:
        hyperparameters = replace(hyperparameters, epochs=WARM_EPOCHS)
    fitted = fit_all(
        frame,
        hyperparameters,
        start=before.start if before else None,
        progress=(lambda done, total: progress(done, total, frame_name)) if progress else None,
    )
    folder = night.work(f"fit-{frame_name}")
    folder.mkdir()
    save_model(fitted.model, folder)
    save_parts(fitted.parts, folder)
    (folder / NAMES).write_text(json.dumps(fitted.parts.names))


def load_all(night: Night) -> dict[str, Fit]:
    """Every fit of tonight by the name of its frame."""
    return {name: _load(night, name, frame) for name, frame in frames(night).items()}


def load(night: Night, frame_name: str) -> Fit:
    """What `fit` left of one frame."""
    return _load(night, frame_name, frames(night)[frame_name])


def _load(night: Night, name: str, frame: Frame) -> Fit:
    one_thread()
    folder = night.work(f"fit-{name}")
    model, features = load_model(folder), described(frame)
    own = {HYBRID: hybrid_part(model, features, frame.history)}
    names = parse_json((folder / NAMES).read_bytes())
    return Fit(frame, model, features, load_parts(folder, names, frame.history, own))


@dataclass(frozen=True)
class Earlier:
    """A release to go on from."""

    release: releases.Release

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
    """The newest release that passed the gate and is older than tonight's held-out set.

    None without `warm_start`, and None for both frames when there is none for the evaluation
    frame: what is published is fitted in the way that was evaluated.
    """
    if not night.settings.warm_start:
        return None
    home = night.home
    kept = releases.Store.of(home).list()
    sound = [
        release
        for release in kept
        if not failed_rules(release.manifest)
        and release.manifest["model"]["hyperparameters"]["components"]
        == hybrid.Hyperparameters().components
    ]
    found = None
    for known in (read_frame(night.work(EVALUATED)), frame):
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


def facts(night: Night, frame: Frame, calibration_weight: float) -> dict[str, Any]:
    """The published model, for the manifest."""
    features = described(frame)
    model = load_model(night.work(f"fit-{PUBLISHED}"))
    return {
        "kind": "linear combination of popularity, linear models and a LightFM hybrid",
        "parts": parse_json((night.work(f"fit-{PUBLISHED}") / NAMES).read_bytes()),
        "hyperparameters": model.hyperparameters.stored(),
        "calibration_weight": calibration_weight,
        "recency_half_life_days": in_days(frame.half_life_days),
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
