"""How loud what is liked these days may be: chosen on an inner cut in time, not by what judges.

What everybody posts about this week is nearly all there is to say on one service, and little on
another. So every night looks for the half-life by which popularity tells most, and for the weight
that it may have beside taste.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from matinee import blending, exposure, hybrid, metrics, ranking
from matinee.pipeline import training
from matinee.pipeline.frames import JUDGED, PLACES, Frame, some
from matinee.pipeline.night import Night

WEIGHTS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
"""In the spread of scores; silence is tried first."""

CHANCE = 1.5
"""Standard errors, member by member, by which a trend must be better than none."""


def choose_trend(night: Night) -> None:
    """Leave tonight's half-life and weight in `work/` for all who fit in time.

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
    """The same hyperparameters with the trend that does best on what `inner` holds out.

    Only weights count that leave the slates the variety that the gate asks for, else one list for
    all would win where most members post once. What is published knows more of its members than
    `inner` does, and varies more. None speaks that is no better than silence.
    """
    model, features = training.fitted(inner, training.HYBRID, replace(usual, trend_weight=0.0))
    truth = inner.truth()
    judged = some(np.flatnonzero(np.diff(truth.indptr)))
    liked = inner.interactions()
    active = np.bincount(liked.row, minlength=len(inner.members)) > 0
    # Who only begins in what is held out is no stranger any more when slates are published.
    begun = np.bincount(inner.rows(inner.held_out)[0], minlength=len(active)) > 0
    looked_at = some(np.flatnonzero(active | ~begun))
    members = model.member_vectors(features.members)
    titles = model.title_vectors(features.titles)
    own = usual.components
    spread = blending.spread(members[active, :own], titles[:, :own])
    met, wanted = inner.seen(), truth[judged]

    def slates(of: NDArray[np.intp], titles: NDArray[np.float32]) -> NDArray[np.intp]:
        return ranking.best_titles(members[of], titles, PLACES, excluded=met[of])[0]

    floor = exposure.SMALLEST_EFFECTIVE_PLACES * PLACES
    silent = metrics.ndcg(slates(judged, titles), wanted)
    best, loudness = silent, 0.0
    window = inner.best_half_life_days()
    popular = inner.popularity(half_life_days=window)
    for weight in WEIGHTS:
        lifted = titles.copy()
        lifted[:, -1] += blending.risen(popular, weight=weight, spread=spread)
        shown = slates(looked_at, lifted)
        if exposure.effective_titles(shown, title_count=len(titles)) < floor:
            break  # and the louder, the less variety
        ndcg = metrics.ndcg(slates(judged, lifted), wanted)
        if ndcg.mean() > best.mean() and _surely(ndcg - silent):
            best, loudness = ndcg, weight
    return replace(usual, trend_weight=loudness, trend_half_life_days=window)


def _surely(ahead: NDArray[np.float64]) -> bool:
    return bool(ahead.mean() > CHANCE * ahead.std() / np.sqrt(len(ahead)))
