"""The training frame: signals and features as of one instant, rows in the order of vocabularies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices
from matinee.columns import MEMBER_ID, OBSERVED_AT, PLACES, TITLE_ID
from matinee.evaluation import metrics, splits
from matinee.models import popularity as models_popularity
from matinee.slates import ranking
from matinee.vocabulary import Vocabulary

SECONDS_PER_DAY = 86_400

TREND_HALF_LIVES = (0.5, 1.0, 2.0, 7.0, 28.0, 90.0, 365.0)
"""Candidate half-lives of the trend, in days."""

HALF_LIVES = (*TREND_HALF_LIVES, math.inf)
"""Candidate half-lives of popularity; infinite: all interactions count the same."""

MOST_MEMBERS = 4_000
"""The most members by which a choice is made; more would only take longer."""


@dataclass(frozen=True)
class Frame:
    """Signals and features as of one instant; rows of every matrix follow the vocabularies.

    It holds all members who may be personalised and all titles, cold ones included.
    """

    as_of: datetime
    half_life_days: float
    """The service's own under a time split; infinite elsewhere: no decay."""

    member_features: pa.Table
    title_features: pa.Table
    signals: pa.Table
    held_out: pa.Table

    follows_time: bool = True
    """Whether the held-out set is later than the signals. Only then may a model use the time of
    interactions: a random holdout does not depend on what came last."""

    @cached_property
    def members(self) -> Vocabulary:
        return Vocabulary.from_ids(self.member_features[MEMBER_ID])

    @cached_property
    def titles(self) -> Vocabulary:
        return Vocabulary.from_ids(self.title_features[TITLE_ID])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.member_features), len(self.title_features)

    @property
    def ages(self) -> NDArray[np.float64]:
        """Days from each signal's event to the frame's instant, float64, shape (n_signals,)."""
        since = np.datetime64(self.as_of.replace(tzinfo=None), "s") - _seconds(self.signals)
        days: NDArray[np.float64] = since / np.timedelta64(SECONDS_PER_DAY, "s")
        return days

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weight of each signal before recency, float64, shape (n_signals,)."""
        weights: NDArray[np.float64] = self.signals["signal_milli"].to_numpy() / 1000.0
        return weights

    def rows(self, signals: pa.Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The member row and title row of each signal."""
        return self.members.rows(signals[MEMBER_ID]), self.titles.rows(signals[TITLE_ID])

    def interactions(self) -> sp.coo_array[np.float32]:
        """The weighted training matrix; see `matrices.interactions`."""
        members, titles = self.rows(self.signals)
        return matrices.interactions(
            members,
            titles,
            self.weights,
            self.ages,
            half_life_days=self.half_life_days,
            shape=self.shape,
        )

    def recency_weighted(self, *, half_life_titles: float) -> sp.csr_array[np.float32]:
        """Interactions weighted by recency; see `matrices.recency_weighted`."""
        members, titles = self.rows(self.signals)
        return matrices.recency_weighted(
            self.interactions(),
            members,
            titles,
            _seconds(self.signals),
            half_life_titles=half_life_titles,
        )

    def popularity(self, *, half_life_days: float) -> NDArray[np.float64]:
        """The recent popularity of each title; see `popularity.popularity`."""
        return models_popularity.popularity(
            self.rows(self.signals)[1],
            self.weights,
            self.ages,
            half_life_days=half_life_days,
            title_count=self.shape[1],
        )

    @cached_property
    def popular_half_life_days(self) -> float:
        """The half-life of popularity: the best on a validation split, else the frame's own."""
        validation = self.validation_split(seed=0) if self.follows_time else None
        return validation.best_half_life_days() if validation else self.half_life_days

    def best_half_life_days(self, among: Sequence[float] = HALF_LIVES) -> float:
        """The half-life with the highest held-out NDCG of popularity, of equals the first.

        The frame's own half-life if no member is evaluated.
        """
        truth, seen = self.truth(), self.seen()
        evaluated = evenly_spaced(np.flatnonzero(matrices.has_interactions(truth)))
        if not len(evaluated):
            return self.half_life_days
        shared = np.zeros(len(evaluated), np.intp)

        def ndcg(half_life: float) -> float:
            popular = self.popularity(half_life_days=half_life)[None, :]
            slates, _ = ranking.best_of_scores(popular, shared, PLACES, excluded=seen[evaluated])
            return float(metrics.ndcg(slates, truth[evaluated]).mean())

        return max(among, key=ndcg)

    def seen(self) -> sp.csr_array[np.bool_]:
        """Titles that each member has played or rated: slates leave them out."""
        members, titles = self.rows(self.signals.filter(self.signals["is_seen"]))
        return matrices.seen(members, titles, shape=self.shape)

    def truth(self) -> sp.csr_array[np.bool_]:
        """The held-out set: titles with a positive held-out signal that were not seen before."""
        signals = pa.concat_tables([self.signals, self.held_out])
        members, titles = self.rows(signals)
        held_out = np.arange(len(signals)) >= len(self.signals)
        positive = signals["signal_milli"].to_numpy() > 0
        keep = ~held_out | positive
        return splits.truth(members[keep], titles[keep], held_out[keep], shape=self.shape)

    def validation_split(self, *, seed: int) -> Frame | None:
        """A time split of the signals, for choices that must not see the held-out set.

        None where the split evaluates too few members.
        """
        times = self.signals["interacted_at"].to_numpy()
        protocol = splits.choose_protocol(*self.rows(self.signals), times, seed=seed)
        if protocol.cut is None:
            return None
        known, held_out = split_signals(self.signals, protocol)
        cut = datetime.fromisoformat(str(protocol.cut)).replace(tzinfo=UTC)
        return replace(self, as_of=cut, signals=known, held_out=held_out)

    def cold_title_split(self, *, seed: int) -> Frame:
        """A split of the signals that makes a fifth of the titles cold."""
        times = self.signals["interacted_at"].to_numpy()
        hidden = splits.hold_out("cold-titles", *self.rows(self.signals), times, seed=seed)
        known, held_out = (self.signals.filter(pa.array(part)) for part in (~hidden, hidden))
        return replace(self, signals=known, held_out=held_out)

    def cold_title_count(self) -> int:
        """The number of titles without interactions."""
        active = matrices.has_interactions(self.interactions(), of="titles")
        return int(np.count_nonzero(~active))


def in_days(half_life: float) -> float | None:
    """A half-life for JSON: None where it is infinite."""
    return half_life if math.isfinite(half_life) else None


def evenly_spaced(members: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `MOST_MEMBERS` of the members, evenly spaced."""
    return members[:: max(1, -(-len(members) // MOST_MEMBERS))]


def split_signals(signals: pa.Table, protocol: splits.Protocol) -> tuple[pa.Table, pa.Table]:
    """The training signals and the held-out signals.

    An event before the cut that arrived after it is in neither: it was not known at the cut, and it
    is not in the future.
    """
    knowable = ~protocol.held_out
    if protocol.cut is not None:
        knowable &= signals[OBSERVED_AT].to_numpy() <= protocol.cut
    return signals.filter(pa.array(knowable)), signals.filter(pa.array(protocol.held_out))


def _seconds(signals: pa.Table) -> NDArray[np.datetime64]:
    instants: NDArray[np.datetime64] = signals["interacted_at"].to_numpy().astype("datetime64[s]")
    return instants
