"""The lists of a split's members as a night publishes them, and as they would be otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import PLACES
from matinee.evaluation.names import BEFORE_POLICY, CALIBRATED, SESSION, UNCALIBRATED
from matinee.models import fits
from matinee.models.combination import Combination, Context
from matinee.models.parts import Parts
from matinee.night import combine
from matinee.night.policy import exposure_policy
from matinee.night.ranker import Lists, Ranker

REPORTED_CALIBRATION = 0.1
"""The weight of `CALIBRATED` while calibration is off."""


@dataclass(frozen=True)
class Split:
    """One validation split and the weights that have not seen what it holds out."""

    context: Context
    fit: fits.Fit
    halves: tuple[combine.Weights, combine.Weights]
    """For the members of either half; see `combine.half_of`."""

    @cached_property
    def members(self) -> NDArray[np.intp]:
        """The evaluated members: rows of the frame with something held out."""
        return np.flatnonzero(np.diff(self.fit.frame.truth().indptr))

    @cached_property
    def held_out(self) -> sp.csr_array[np.bool_]:
        """What is held out of them, shape (n_evaluated, n_titles)."""
        return self.fit.frame.truth()[self.members]

    @property
    def prefix(self) -> str:
        """Before the names of metrics and rules."""
        return SESSION if self.context == "session" else ""


@dataclass(frozen=True)
class Versions:
    """The published lists of a split's members, and what they would be otherwise."""

    shown: NDArray[np.intp]
    """intp, shape (n_members, PLACES)."""

    scores: NDArray[np.float32]
    others: dict[str, NDArray[np.intp]]


def versions(
    ranker: Ranker,
    split: Split,
    chosen: combine.Chosen,
    model: str,
    members: NDArray[np.intp],
    policy: Sequence[exposure_policy.ExposureTarget],
) -> Versions:
    """The lists of some members as a night publishes them, without calibration and policy too.

    Each half of the members is ranked by the weights that have not seen it.
    """
    lists = _ranked(ranker, split, chosen, model, members)
    ready = ranker.with_policy(policy, members, {split.context: lists})
    shown = ready.published(members, lists, context=split.context)
    others = {}
    if split.context == "next_visit":
        weight = ranker.calibration_weight
        other = replace(ready, calibration_weight=0.0 if weight else REPORTED_CALIBRATION)
        lists_of_other = other.published(members, lists, context=split.context)
        name = UNCALIBRATED if weight else CALIBRATED
        others[name] = lists_of_other.rows[:, :PLACES]
    if policy:
        before = ready.published(members, lists, context=split.context, policy=False)
        others[BEFORE_POLICY] = before.rows[:, :PLACES]
    return Versions(shown.rows[:, :PLACES], shown.scores, others)


def _ranked(
    ranker: Ranker,
    split: Split,
    chosen: combine.Chosen,
    model: str,
    members: NDArray[np.intp],
) -> Lists:
    """The lists by score alone, each half and country by itself."""
    half = combine.half_of(ranker.fit.frame.members.ids)
    lists = Lists.empty(len(members), ranker.size, len(ranker.parts.names))
    for side, weights in enumerate(split.halves):
        names = ranker.parts.names
        placed = combine.baseline_weights(weights, chosen.parts, model, names)
        one = replace(ranker, combination=Combination(names, {split.context: placed}))
        for country, inside in _by_country(ranker.countries, members):
            own = inside[half[members[inside]] == bool(side)]
            (ranked,) = one.lists(
                members[own],
                country=country,
                allowed=ranker.fit.frame.in_catalogue,
                contexts=(split.context,),
            ).values()
            lists.rows[own], lists.contributions[own] = ranked.rows, ranked.contributions
    return lists


def ranker_of(
    split: Split, chosen: combine.Chosen, *, size: int, parts: Parts | None = None
) -> Ranker:
    """A ranker for the members of a split, without weights."""
    frame = split.fit.frame
    return Ranker(
        fit=replace(split.fit, parts=parts or split.fit.parts),
        combination=Combination(chosen.parts, {}),
        seen=frame.seen(),
        countries=frame.member_features["country"].to_pylist(),
        size=size,
        calibration_weight=chosen.calibration_weight,
    )


def _by_country(
    countries: Sequence[str | None], members: NDArray[np.intp]
) -> list[tuple[str | None, NDArray[np.intp]]]:
    """Places among `members` by country."""
    places: dict[str | None, list[int]] = {}
    for place, member in enumerate(members.tolist()):
        places.setdefault(countries[member] or None, []).append(place)
    return [(country, np.array(found, np.intp)) for country, found in places.items()]
