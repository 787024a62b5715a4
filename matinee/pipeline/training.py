"""Fits the models of a night, each from a frame that lies under `work/`.

The siblings of the hybrid learn in the same way from the same signals and judge what each half is
worth: `collaborative` knows titles and members by their ids only, `content` knows titles by what is
in them only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from matinee import hybrid, matrices
from matinee.pipeline.frames import JUDGED, PUBLISHED, Frame
from matinee.pipeline.night import Night, Progress

HYBRID = "hybrid"
COLLABORATIVE = "collaborative"
CONTENT = "content"

FITS = (
    (PUBLISHED, HYBRID),  # the longest first: two run side by side
    (JUDGED, HYBRID),
    (JUDGED, COLLABORATIVE),
    (JUDGED, CONTENT),
)
"""Every (frame, model) of a night."""

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
    "director": 0.2,
    "actor": 0.2,
    "language": 0.1,
    "country": 0.1,
    "decade": 0.1,
}
"""What a family's values add up to beside an identity of 1; found on ML-100K's validation part."""

MINIMUM_SUPPORT = 3
"""A director of two films tells no more than the films' own ids."""


@dataclass(frozen=True)
class Described:
    """Members and titles as a model sees them."""

    members: matrices.Features
    titles: matrices.Features


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
    progress: hybrid.Progress | None = None,
) -> tuple[hybrid.HybridModel, Described]:
    """One of the three models, learned from a frame, and the features it learned with."""
    features = described(frame, model)
    knows_ids = model != CONTENT
    learned = hybrid.fit(
        frame.interactions(),
        features.members,
        features.titles,
        hyperparameters,
        asked=frame.lately(half_titles=hyperparameters.recent_titles) if knows_ids else None,
        progress=progress,
    )
    return learned, features


def fit(night: Night, frame_name: str, model: str, progress: Progress | None = None) -> None:
    """Fit one model of `FITS`; it is left in `work/<frame>-<model>/`."""
    learned, _ = fitted(
        Frame.read(night.work(frame_name)),
        model,
        hybrid.Hyperparameters(seed=night.settings.seed),
        progress=(lambda done, total: progress(done, total, model)) if progress else None,
    )
    folder = night.work(f"{frame_name}-{model}")
    folder.mkdir()
    learned.save(folder)


def load(night: Night, frame_name: str, model: str) -> hybrid.HybridModel:
    """A model that `fit` left."""
    return hybrid.HybridModel.load(night.work(f"{frame_name}-{model}"))


def facts(night: Night, frame: Frame) -> dict[str, Any]:
    """The published model, for the manifest."""
    features = described(frame, HYBRID)
    return {
        "kind": "LightFM hybrid",
        "hyperparameters": asdict(load(night, PUBLISHED, HYBRID).hyperparameters),
        "recency_half_life_days": frame.half_life_days,
        "minimum_support": MINIMUM_SUPPORT,
        "member_feature_weights": MEMBER_WEIGHTS,
        "title_feature_weights": TITLE_WEIGHTS,
        "members": len(frame.members),
        "titles": len(frame.titles),
        "member_features": len(features.members.names),
        "title_features": len(features.titles.names),
        "interactions": frame.interactions().nnz,
    }


def _families(table: pa.Table, columns: Mapping[str, str]) -> dict[str, pa.ChunkedArray]:
    return {family: table[column] for family, column in columns.items()}
