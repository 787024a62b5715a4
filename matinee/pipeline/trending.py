"""How loud what is liked these days may be: chosen on an inner cut in time, not by what judges.

What everybody posts about this week is nearly all there is to say on one service, and little on
another. So the window and the weight of the trend are looked for every night.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from matinee import blending, exposure, hybrid, metrics, ranking
from matinee.pipeline import training
from matinee.pipeline.frames import JUDGED, Frame
from matinee.pipeline.night import Night

WINDOWS = (1.0, 3.0, 7.0, 14.0, 28.0, 90.0)
"""Half-lives in days."""

WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""In the spread of scores."""

PLACES = 10

MOST_MEMBERS = 4_000
"""Enough to choose by; more would only take longer."""

CHANCE = 2.0
"""Standard errors, member by member, within which one setting is as good as another."""


def choose_trend(night: Night) -> None:
    """Leave tonight's window and weight in `work/` for all who fit in time.

    A night that goes on from an earlier release keeps what that one had chosen.
    """
    frame = Frame.read(night.work(JUDGED))
    usual = hybrid.Hyperparameters(seed=night.settings.seed)
    inner = frame.inner(seed=night.settings.seed) if frame.follows_time else None
    if before := training.earlier(night, frame):
        found = before.trend(usual)
    else:
        found = chosen(inner, usual) if inner else usual
    numbers = {name: getattr(found, name) for name in training.OF_TREND}
    night.work(training.TREND).write_text(json.dumps(numbers))


def chosen(inner: Frame, usual: hybrid.Hyperparameters) -> hybrid.Hyperparameters:
    """The same hyperparameters with the window and weight that do best on what `inner` holds out.

    Of those that leave the slates worth the titles that the gate asks for (else one list for all
    would win where most members post once), the least weight that is behind the best by no more
    than chance: the best of many is lucky.
    """
    model, features = training.fitted(inner, training.HYBRID, replace(usual, trend_weight=0.0))
    truth = inner.truth()
    judged = _some(np.flatnonzero(np.diff(truth.indptr)))
    looked_at = _some(np.arange(len(inner.members)))
    members = model.member_vectors(features.members)
    titles = model.title_vectors(features.titles)
    own = usual.components
    active = np.bincount(inner.interactions().row, minlength=len(members)) > 0
    spread = blending.spread(members[active, :own], titles[:, :own])
    met, wanted = inner.seen(), truth[judged]

    def slates(of: NDArray[np.intp], titles: NDArray[np.float32]) -> NDArray[np.intp]:
        return ranking.best_titles(members[of], titles, PLACES, excluded=met[of])[0]

    floor = exposure.SMALLEST_EFFECTIVE_PLACES * PLACES
    tried: list[tuple[float, float, NDArray[np.float64]]] = []
    for window in WINDOWS:
        popular = inner.popularity(half_life_days=window)
        for weight in WEIGHTS if window == WINDOWS[0] else WEIGHTS[1:]:
            lifted = titles.copy()
            lifted[:, -1] += blending.risen(popular, weight=weight, spread=spread)
            shown = slates(looked_at, lifted)
            if weight == 0 or exposure.effective_titles(shown, title_count=len(titles)) >= floor:
                tried.append((weight, window, metrics.ndcg(slates(judged, lifted), wanted)))
    best = max((ndcg for _, _, ndcg in tried), key=np.mean)
    near = [one for one in tried if _near(best - one[2])]
    weight, window, _ = min(near, key=lambda one: (one[0], -one[2].mean()))
    return replace(usual, trend_weight=weight, trend_half_life_days=window)


def _some(members: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `MOST_MEMBERS`, evenly spread."""
    return members[:: max(1, -(-len(members) // MOST_MEMBERS))]


def _near(behind: NDArray[np.float64]) -> bool:
    return bool(behind.mean() <= CHANCE * behind.std() / np.sqrt(len(behind)))
