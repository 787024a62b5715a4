"""Fits one of the three models on a frame: hybrid, collaborative or content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from matinee import matrices
from matinee.models import blending, cold_start, hybrid
from matinee.models.feature_families import CONTENT, Described, described
from matinee.models.frame import Frame
from matinee.models.warm_start import Start

ALL_ALIKE = 1e9
"""As a half-length of likes: none fades."""

Fitted: TypeAlias = tuple[hybrid.HybridModel, Described]
"""A fitted model and the features it learned with."""


def fitted(
    frame: Frame,
    model: str,
    hyperparameters: hybrid.Hyperparameters,
    *,
    start: Callable[[Described], Start] | None = None,
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
        start=start(features) if start else None,
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
    lift = cold_start.foreseen(
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


def timeless(hyperparameters: hybrid.Hyperparameters) -> hybrid.Hyperparameters:
    """The same, but deaf to when things were liked; see `Frame.follows_time`."""
    return replace(hyperparameters, recent_titles=ALL_ALIKE, trend_weight=0.0)
