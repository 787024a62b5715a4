"""Fits the models of a night, each from a frame that lies under `work/`.

The siblings of the hybrid learn in the same way from the same signals and judge what each half is
worth: `collaborative` knows titles and members by their ids only, `content` knows titles by what is
in them only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from matinee import blending, hybrid, matrices, newcomers, releases
from matinee.continuing import Start
from matinee.errors import IntegrityError, StorageError
from matinee.pipeline.frames import COLD, INNER, JUDGED, PUBLISHED, Frame, in_days
from matinee.pipeline.night import Night, Progress
from matinee.provenance import parse_json

HYBRID = "hybrid"
COLLABORATIVE = "collaborative"
CONTENT = "content"

ALL_ALIKE = 1e9
"""As a half-length of likes: none fades."""

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

MEMBER_FAMILIES = {
    "country": "country",
    "plan": "plan",
    "language": "language",
    "device": "main_device",
    "daypart": "main_daypart",
    "searched": "searched_genres",
}
"""Feature family -> column of the service. Age and gender are in neither."""

TITLE_FAMILIES = {
    "kind": "title_kind",
    "genre": "genres",
    "theme": "themes",
    "director": "directors",
    "actor": "actors",
    "language": "language",
    "country": "countries",
    "decade": "release_decade",
}

MEMBER_WEIGHTS = dict.fromkeys(MEMBER_FAMILIES, 0.1)
"""Small: they speak for members of whom nothing else is known, and must not drown ids."""

TITLE_WEIGHTS = {
    "kind": 0.1,
    "genre": 0.3,
    "theme": 0.3,
    "director": 0.05,
    "actor": 0.05,
    "language": 0.1,
    "country": 0.1,
    "decade": 0.2,
}
"""What a family's values add up to beside an identity of 1; found on ML-100K's validation part.
With 0.2 for people, who are many and each in few films, cold titles are told apart worse than
without them (AUC .68 and .69); with 0.05 they help the head of the list and harm nothing."""

MINIMUM_SUPPORT = 3
"""A director of two films tells no more than the films' own ids."""


@dataclass(frozen=True)
class Described:
    """Members and titles as a model sees them."""

    members: matrices.Features
    titles: matrices.Features


Fitted: TypeAlias = tuple[hybrid.HybridModel, Described]
"""A fitted model and the features it learned with."""


def described(frame: Frame, model: str) -> Described:
    """The feature matrices of one of the three models."""
    with_content = model != COLLABORATIVE
    return Described(
        members=matrices.features(
            frame.members,
            _families(frame.member_features, MEMBER_FAMILIES) if with_content else {},
            identity=True,
            family_weights=MEMBER_WEIGHTS,
            minimum_support=MINIMUM_SUPPORT,
        ),
        titles=matrices.features(
            frame.titles,
            _families(frame.title_features, TITLE_FAMILIES) if with_content else {},
            identity=model != CONTENT,
            family_weights=TITLE_WEIGHTS,
            minimum_support=MINIMUM_SUPPORT,
        ),
    )


def fitted(
    frame: Frame,
    model: str,
    hyperparameters: hybrid.Hyperparameters,
    *,
    earlier: Earlier | None = None,
    progress: hybrid.Progress | None = None,
) -> Fitted:
    """One of the three models, learned from a frame, and the features it learned with."""
    # For good, and so for whatever else runs in this process: with two threads the last bits of the
    # linear part depend on the number of cores, and so would the release's digest.
    threadpool_limits(1, user_api="blas")
    features = described(frame, model)
    learned = hybrid.fit(
        frame.interactions(),
        features.members,
        features.titles,
        hyperparameters,
        asked=frame.lately(half_titles=hyperparameters.recent_titles) if model != CONTENT else None,
        start=earlier.start(features) if earlier else None,
        progress=progress,
    )
    return with_trend(learned, features, frame, hyperparameters), features


def with_trend(
    learned: hybrid.HybridModel,
    features: Described,
    frame: Frame,
    wanted: hybrid.Hyperparameters,
) -> hybrid.HybridModel:
    """A model without a trend, with the one of its frame that `wanted` says. Content has none."""
    weight, half_life = wanted.trend_weight, wanted.trend_half_life_days
    if weight == 0 or not features.titles.columns_of(matrices.IDENTITY).any():
        return learned
    lift = trend_lift(learned, features, frame, half_life_days=half_life)
    return learned.with_trend(lift, weight=weight, half_life_days=half_life)


def trend_lift(
    learned: hybrid.HybridModel, features: Described, frame: Frame, *, half_life_days: float
) -> NDArray[np.float32]:
    """What the trend adds to the biases of a model without one, at a weight of 1.

    float32, shape (n_title_features,). A newcomer has the trend that its content lets expect.
    """
    likes = frame.interactions()
    active = np.bincount(likes.row, minlength=likes.shape[0]) > 0
    own = learned.hyperparameters.components
    members = features.members.matrix[active] @ learned.member_embeddings[:, :own]
    spread = blending.spread(members, features.titles.matrix @ learned.title_embeddings[:, :own])
    risen = blending.risen(frame.popularity(half_life_days=half_life_days), spread=spread)
    counts = np.bincount(likes.col, minlength=likes.shape[1])
    numbers = learned.hyperparameters
    lift = newcomers.foreseen(
        blending.of_identities(risen[:, None], features.titles),
        features.titles,
        counts,
        penalty=numbers.newcomer_penalty,
    )[:, 0]
    if numbers.newcomer_content and not counts.all():
        # What orders newcomers is content, so all of them rise alike.
        new = (features.titles.matrix @ lift)[counts == 0]
        identities = np.flatnonzero(features.titles.columns_of(matrices.IDENTITY))
        lift[identities[counts == 0]] += numbers.newcomer_content * (new.mean() - new)
    return lift


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
            return cls(**parse_json((work / CHOSEN).read_bytes()))
        except OSError as error:
            raise StorageError(
                f"the last night left no {CHOSEN}: {error}; run `matinee run` once more"
            ) from None
        except (ValueError, TypeError) as error:
            raise IntegrityError(
                f"{work / CHOSEN} is not what was written ({error}): run `matinee run` once more"
            ) from None


def timeless(hyperparameters: hybrid.Hyperparameters) -> hybrid.Hyperparameters:
    """The same, but deaf to when things were liked; see `Frame.follows_time`."""
    return replace(hyperparameters, recent_titles=ALL_ALIKE, trend_weight=0.0)


def within(night: Night, judged: Frame) -> Frame | None:
    """The frame to choose by: None where time does not judge, too few could, or all is warm."""
    if not judged.follows_time or earlier(night, judged):
        return None
    return judged.inner(seed=night.settings.seed)


def cold(night: Night, judged: Frame) -> Frame | None:
    """The frame to choose by who orders newcomers: None where there are none, or all is warm."""
    if Frame.read(night.work(PUBLISHED)).unmet() < 2 or earlier(night, judged):
        return None
    return judged.cold(seed=night.settings.seed)


def fit(night: Night, frame_name: str, model: str, progress: Progress | None = None) -> None:
    """Fit one model of `FITS`; it is left in `work/silent-<frame>-<model>/`, without a trend.

    With `warm_start` the hybrid goes on from an earlier release for `WARM_EPOCHS`, and the gate
    judges it as it judges any other.
    """
    inner = {INNER: within, COLD: cold}.get(frame_name)
    known = Frame.read(night.work(JUDGED if inner else frame_name))
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
        earlier=before,
        progress=(lambda done, total: progress(done, total, model)) if progress else None,
    )
    folder = silent(night, frame_name, model)
    folder.mkdir()
    learned.save(folder)


def silent(night: Night, frame_name: str, model: str) -> Path:
    """Where `fit` leaves a model."""
    return night.work(f"silent-{frame_name}-{model}")


def left(night: Night, frame_name: str, model: str) -> Fitted:
    """What `fit` left; features do not depend on what is held out within."""
    within_judged = frame_name in (INNER, COLD)
    frame = Frame.read(night.work(JUDGED if within_judged else frame_name))
    learned = hybrid.HybridModel.load(silent(night, frame_name, model))
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
    def newcomer_content(self) -> float:
        """How much of the order of newcomers was content's."""
        had = self.release.manifest["model"]["hyperparameters"]
        return float(had.get("newcomer_content", 0.0))

    def start(self, features: Described) -> Start:
        """What it knew of these features."""
        path = self.release.path
        model = hybrid.HybridModel.load(
            path / "model", hyperparameters=path / "hyperparameters.json"
        )
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
    kept = releases.Store(root=home / "releases", keys=home / "keys").list()
    sound = [
        release
        for release in kept
        if all(rule["passed"] for rule in release.manifest["gate"]["rules"])
        and release.manifest["model"]["hyperparameters"]["components"]
        == hybrid.Hyperparameters().components
    ]
    found = None
    for known in (Frame.read(night.work(JUDGED)), frame):
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
    return hybrid.HybridModel.load(night.work(f"{frame_name}-{model}"))


def facts(night: Night, frame: Frame) -> dict[str, Any]:
    """The published model, for the manifest."""
    features = described(frame, HYBRID)
    return {
        "kind": "LightFM hybrid",
        "hyperparameters": asdict(load(night, PUBLISHED, HYBRID).hyperparameters),
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


def _families(table: pa.Table, columns: Mapping[str, str]) -> dict[str, pa.ChunkedArray]:
    return {family: table[column] for family, column in columns.items()}
