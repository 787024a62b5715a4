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
"""As a half-life in titles: no decay."""

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
    """Fit one of the three models on a frame; returns it with its features."""
    # Not undone afterwards. With two threads the last bits of the linear part depend on the number
    # of cores, and the release's digest would depend on them too.
    threadpool_limits(1, user_api="blas")
    features = described(frame, model)
    learned = hybrid.fit(
        frame.interactions(),
        features.members,
        features.titles,
        hyperparameters,
        query_weights=(
            frame.recency_weighted(half_life_titles=hyperparameters.recent_titles)
            if model != CONTENT
            else None
        ),
        start=start(features) if start else None,
        progress=progress,
    )
    return with_trend(learned, features, frame, hyperparameters), features


def with_trend(
    learned: hybrid.HybridModel,
    features: Described,
    frame: Frame,
    hyperparameters: hybrid.Hyperparameters,
) -> hybrid.HybridModel:
    """A model with the trend bias of its frame added. The content model has none."""
    weight = hyperparameters.trend_weight
    half_life = hyperparameters.trend_half_life_days
    if weight == 0 or not features.titles.columns_of(matrices.IDENTITY).any():
        return learned
    lift = trend_lift(learned, features, frame, half_life_days=half_life)
    return learned.with_trend(lift, weight=weight, half_life_days=half_life)


def trend_lift(
    learned: hybrid.HybridModel, features: Described, frame: Frame, *, half_life_days: float
) -> NDArray[np.float32]:
    """The trend bias of each title feature at a weight of 1, float32, shape (n_title_features,).

    A cold title has the trend that its content lets expect.
    """
    likes = frame.interactions()
    active = matrices.has_interactions(likes)
    own = learned.hyperparameters.components
    members = features.members.matrix[active] @ learned.member_embeddings[:, :own]
    spread = blending.spread(members, features.titles.matrix @ learned.title_embeddings[:, :own])
    risen = blending.risen(frame.popularity(half_life_days=half_life_days), spread=spread)
    counts = np.bincount(likes.col, minlength=likes.shape[1])
    numbers = learned.hyperparameters
    lift = cold_start.with_expected_factors(
        blending.of_identities(risen[:, None], features.titles),
        features.titles,
        counts,
        penalty=numbers.cold_start_penalty,
    )[:, 0]
    if numbers.cold_start_content and not counts.all():
        # Content orders the cold titles, so all of them get the same bias.
        new = (features.titles.matrix @ lift)[counts == 0]
        identities = np.flatnonzero(features.titles.columns_of(matrices.IDENTITY))
        lift[identities[counts == 0]] += numbers.cold_start_content * (new.mean() - new)
    return lift


def timeless(hyperparameters: hybrid.Hyperparameters) -> hybrid.Hyperparameters:
    """The same, without any use of time; see `Frame.follows_time`."""
    return replace(hyperparameters, recent_titles=ALL_ALIKE, trend_weight=0.0)
