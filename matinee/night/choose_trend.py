"""How loud what is liked these days may be, and how much slates are calibrated beside it.

What everybody posts about this week is nearly all there is to say on one service, and little on
another. So every night looks for the half-life by which popularity tells most, and for the weight
that it may have beside taste. Accuracy is asked of an inner cut in time, never of what judges;
variety is asked of tonight's slates as they would be published, for no answer is in it. A louder
trend makes slates alike, and more calibration makes them the members' own again: so both are
chosen together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import PLACES
from matinee.evaluation import metrics
from matinee.matrices import has_interactions
from matinee.models import feature_families, fits, hybrid
from matinee.models.frame import TREND_HALF_LIVES, Frame, evenly_spaced
from matinee.night import choose_cold_start, exposure_policy, fit
from matinee.night.frame import INNER, JUDGED, PUBLISHED, read_frame
from matinee.night.model_files import save_model
from matinee.night.night import Night
from matinee.night.scorer import ready
from matinee.slates import calibration, exposure, ranking

WEIGHTS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0)
"""In the spread of scores; silence is tried first."""

CALIBRATIONS = (1.0, 1.5, 2.0)
"""Times what the setting says: the least of them by which slates vary enough."""

CHANCE = 1.5
"""Standard errors, member by member, by which a trend must be better than none."""

SAMPLED = 1.02
"""The gate asks all members, here at most `MOST_MEMBERS` are asked."""

SLATE_SIZE = 50
"""Of slates that nobody publishes: as in the settings."""

Shown: TypeAlias = Callable[[NDArray[np.float32]], Callable[[float], NDArray[np.intp]]]
"""Vectors of titles -> weight of calibration -> the first places of some members."""


@dataclass(frozen=True)
class Silent:
    """A model without a trend and what it learned from: to be asked for slates with one."""

    frame: Frame
    model: hybrid.HybridModel
    features: feature_families.Described
    half_life_days: float

    @cached_property
    def lift(self) -> NDArray[np.float32]:
        """What the trend adds to titles' biases at a weight of 1."""
        of_features = fits.trend_lift(
            self.model, self.features, self.frame, half_life_days=self.half_life_days
        )
        lift: NDArray[np.float32] = self.features.titles.matrix @ of_features
        return lift

    @cached_property
    def title_vectors(self) -> NDArray[np.float32]:
        return self.model.title_vectors(self.features.titles)

    def lifted(self, weight: float) -> NDArray[np.float32]:
        """Vectors of titles with so much of the trend."""
        vectors = self.title_vectors.copy()
        vectors[:, -1] += np.float32(weight) * self.lift
        return vectors

    def shown(self, members: NDArray[np.intp], *, slate_size: int) -> Shown:
        """Slates of all titles that some members have not seen."""
        vectors = self.model.member_vectors(self.features.members)[members]
        met = self.frame.seen()[members]
        genres = feature_families.genres(
            feature_families.described(self.frame, feature_families.HYBRID)
        )
        liked = sp.csr_array(self.frame.interactions())[members]
        mixes = calibration.tastes(liked, genres)

        def with_titles(titles: NDArray[np.float32]) -> Callable[[float], NDArray[np.intp]]:
            slates = ranking.best_titles(vectors, titles, slate_size, excluded=met)
            return lambda weight: calibration.rerank(*slates, mixes, genres, weight=weight)[0][
                :, :PLACES
            ]

        return with_titles


def choose_trend(night: Night) -> None:
    """Leave tonight's models with their trend in `work/`, newcomers in order, and what was chosen.

    A night that goes on from an earlier release keeps the trend that that one had chosen.
    """
    frame = read_frame(night.work(JUDGED))
    models = choose_cold_start.learned(night)
    found = _tonights(night, frame, models[PUBLISHED, feature_families.HYBRID])
    found.write(night.work(""))
    for (name, model), (learned, features) in models.items():
        known = read_frame(night.work(name))
        folder = night.work(f"{name}-{model}")
        folder.mkdir()
        wanted = found.trend(learned.hyperparameters)
        save_model(fits.with_trend(learned, features, known, wanted), folder)


def _tonights(night: Night, frame: Frame, model: fits.Fitted) -> fit.Chosen:
    usual = hybrid.Hyperparameters(seed=night.settings.seed)
    if before := fit.earlier(night, frame):
        usual = before.trend(usual)
    calibrated = night.settings.calibration_weight
    found = fit.Chosen(usual.trend_weight, usual.trend_half_life_days, calibrated)
    if not frame.follows_time:
        return replace(found, trend_weight=0.0)
    inner = fit.within(night, frame)
    if inner:
        best = inner.best_half_life_days(TREND_HALF_LIVES)
        found = replace(found, trend_half_life_days=best)
    half_life = found.trend_half_life_days
    published = Silent(read_frame(night.work(PUBLISHED)), *model, half_life)
    shown = _published(night, published)
    if inner is None:
        return varied(found, published, shown) or found
    within = Silent(inner, *fit.left(night, INNER, feature_families.HYBRID), half_life)
    size = night.settings.slate_size
    return chosen(within, published, shown, usual=found, slate_size=size)


def chosen(
    inner: Silent,
    published: Silent,
    shown: Shown,
    *,
    usual: fit.Chosen,
    slate_size: int,
) -> fit.Chosen:
    """The trend that does best on what `inner` holds out, with the calibration that it needs.

    Only weights count that leave what is shown the variety that the gate asks for, else one list
    for all would win where most members post once. None speaks that is no better than silence.
    """
    truth = inner.frame.truth()
    judged = evenly_spaced(np.flatnonzero(has_interactions(truth)))
    within = inner.shown(judged, slate_size=slate_size)

    def ndcg(tried: fit.Chosen) -> NDArray[np.float64]:
        first = within(inner.lifted(tried.trend_weight))(tried.calibration_weight)
        return metrics.ndcg(first, truth[judged])

    quiet = replace(usual, trend_weight=0.0)
    found = varied(quiet, published, shown) or quiet
    silent = best = ndcg(found)
    for weight in WEIGHTS:
        tried = varied(replace(usual, trend_weight=weight), published, shown)
        if tried is None:
            break  # and the louder, the less variety
        ahead = ndcg(tried)
        if ahead.mean() > best.mean() and _surely(ahead - silent):
            found, best = tried, ahead
    return found


def varied(wanted: fit.Chosen, published: Silent, shown: Shown) -> fit.Chosen | None:
    """The same trend with the least calibration by which what is shown varies as the gate asks.

    None when no calibration that may be chosen is enough.
    """
    titles = published.lifted(wanted.trend_weight)
    first = shown(titles)
    floor = exposure.SMALLEST_EFFECTIVE_PLACES * PLACES * SAMPLED
    for times in CALIBRATIONS:
        weight = min(1.0, times * wanted.calibration_weight)
        if exposure.effective_titles(first(weight), title_count=len(titles)) >= floor:
            return replace(wanted, calibration_weight=weight)
    return None


def fitted(
    frame: Frame,
    inner: Frame,
    model: str,
    usual: hybrid.Hyperparameters,
    *,
    calibration_weight: float,
) -> fits.Fitted:
    """A model with the trend that `inner` says, under the variety that its own slates have."""
    half_life = inner.best_half_life_days(TREND_HALF_LIVES)
    quiet = replace(usual, trend_weight=0.0)
    published, within = (
        Silent(one, *fits.fitted(one, model, quiet), half_life) for one in (frame, inner)
    )
    active = evenly_spaced(np.flatnonzero(has_interactions(frame.interactions())))
    found = chosen(
        within,
        published,
        published.shown(active, slate_size=SLATE_SIZE),
        usual=fit.Chosen(0.0, half_life, calibration_weight),
        slate_size=SLATE_SIZE,
    )
    learned, features = published.model, published.features
    return fits.with_trend(learned, features, frame, found.trend(usual)), features


def _published(night: Night, silent: Silent) -> Shown:
    """What members of the catalogue would be shown: windows, limits and the policy as they are."""
    scorer = ready(night, silent.model, calibration_weight=0.0)
    catalogue = scorer.catalogue.members
    members = catalogue.take(evenly_spaced(np.arange(len(catalogue))))

    def with_titles(titles: NDArray[np.float32]) -> Callable[[float], NDArray[np.intp]]:
        ranked = scorer.ranked(members, titles)

        def first(weight: float) -> NDArray[np.intp]:
            slates = scorer.calibrated(ranked, weight)
            lifts = exposure_policy.lifts(slates, silent.frame, scorer.policy)
            return exposure_policy.raised(slates, lifts)[0][:, :PLACES]

        return first

    return with_titles


def _surely(ahead: NDArray[np.float64]) -> bool:
    return bool(ahead.mean() > CHANCE * ahead.std() / np.sqrt(len(ahead)))
