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
"""In days: what "these days" may mean."""

HALF_LIVES = (*TREND_HALF_LIVES, math.inf)
"""The same for popularity, which may also count all there ever was."""

MOST_MEMBERS = 4_000
"""Enough to choose by; more would only take longer."""


@dataclass(frozen=True)
class Frame:
    """Signals and features as of one instant; rows of every matrix follow the vocabularies.

    All members who may be personalised are in it, and all titles, cold ones too.
    """

    as_of: datetime
    half_life_days: float
    """The service's own where time judges; infinite elsewhere: all acts count the same."""

    member_features: pa.Table
    title_features: pa.Table
    signals: pa.Table
    held_out: pa.Table

    follows_time: bool = True
    """Whether what came next judges. Only then may a model go by when things were liked: what a
    random holdout took from the middle does not depend on what came last."""

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
        """Days from each signal's act to the instant of the frame."""
        since = np.datetime64(self.as_of.replace(tzinfo=None), "s") - _seconds(self.signals)
        days: NDArray[np.float64] = since / np.timedelta64(SECONDS_PER_DAY, "s")
        return days

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each signal says, before recency."""
        weights: NDArray[np.float64] = self.signals["signal_milli"].to_numpy() / 1000.0
        return weights

    def rows(self, acts: pa.Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The member row and title row of each act."""
        return self.members.rows(acts[MEMBER_ID]), self.titles.rows(acts[TITLE_ID])

    def interactions(self) -> sp.coo_array[np.float32]:
        """The weighed training matrix; see `matrices.interactions`."""
        members, titles = self.rows(self.signals)
        return matrices.interactions(
            members,
            titles,
            self.weights,
            self.ages,
            half_life_days=self.half_life_days,
            shape=self.shape,
        )

    def lately(self, *, half_titles: float) -> sp.csr_array[np.float32]:
        """What each member liked, the last ones loudest; see `matrices.lately`."""
        members, titles = self.rows(self.signals)
        return matrices.lately(
            self.interactions(), members, titles, _seconds(self.signals), half_titles=half_titles
        )

    def popularity(self, *, half_life_days: float) -> NDArray[np.float64]:
        """How much each title was liked lately by everybody; see `popularity.popularity`."""
        return models_popularity.popularity(
            self.rows(self.signals)[1],
            self.weights,
            self.ages,
            half_life_days=half_life_days,
            title_count=self.shape[1],
        )

    @cached_property
    def popular_half_life_days(self) -> float:
        """Popularity's own: what an inner cut in time says, and the frame's where none can."""
        inner = self.inner(seed=0) if self.follows_time else None
        return inner.best_half_life_days() if inner else self.half_life_days

    def best_half_life_days(self, among: Sequence[float] = HALF_LIVES) -> float:
        """The half-life by which popularity tells best what is held out, of equals the first;
        the frame's own if nobody can judge."""
        truth, met = self.truth(), self.seen()
        judged = some(np.flatnonzero(np.diff(truth.indptr)))
        if not len(judged):
            return self.half_life_days
        shared = np.zeros(len(judged), np.intp)

        def ndcg(half_life: float) -> float:
            popular = self.popularity(half_life_days=half_life)[None, :]
            slates, _ = ranking.best_of_scores(popular, shared, PLACES, excluded=met[judged])
            return float(metrics.ndcg(slates, truth[judged]).mean())

        return max(among, key=ndcg)

    def seen(self) -> sp.csr_array[np.bool_]:
        """What never comes back in a slate: played or rated, whatever was thought of it."""
        met = self.signals.filter(self.signals["is_seen"])
        members, titles = self.rows(met)
        return matrices.seen(members, titles, shape=self.shape)

    def truth(self) -> sp.csr_array[np.bool_]:
        """What a perfect slate would have held: liked, held-out titles that were not met before."""
        acts = pa.concat_tables([self.signals, self.held_out])
        members, titles = self.rows(acts)
        late = np.arange(len(acts)) >= len(self.signals)
        liked = acts["signal_milli"].to_numpy() > 0
        keep = ~late | liked
        return splits.truth(members[keep], titles[keep], late[keep], shape=self.shape)

    def inner(self, *, seed: int) -> Frame | None:
        """A frame within, cut in time, for choices that must not see what judges.

        None where a cut leaves too few members to choose by.
        """
        times = self.signals["interacted_at"].to_numpy()
        protocol = splits.choose_protocol(*self.rows(self.signals), times, seed=seed)
        if protocol.cut is None:
            return None
        known, held_out = divide(self.signals, protocol)
        cut = datetime.fromisoformat(str(protocol.cut)).replace(tzinfo=UTC)
        return replace(self, as_of=cut, signals=known, held_out=held_out)

    def cold(self, *, seed: int) -> Frame:
        """A frame within in which a fifth of the titles has been met by nobody."""
        times = self.signals["interacted_at"].to_numpy()
        hidden = splits.hold_out("cold-titles", *self.rows(self.signals), times, seed=seed)
        known, held_out = (self.signals.filter(pa.array(part)) for part in (~hidden, hidden))
        return replace(self, signals=known, held_out=held_out)

    def unmet(self) -> int:
        """How many titles nobody has met."""
        return self.shape[1] - len(np.unique(self.interactions().col))


def in_days(half_life: float) -> float | None:
    """A half-life as JSON has it: None where nothing fades."""
    return half_life if math.isfinite(half_life) else None


def some(members: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `MOST_MEMBERS`, evenly spread."""
    return members[:: max(1, -(-len(members) // MOST_MEMBERS))]


def divide(signals: pa.Table, protocol: splits.Protocol) -> tuple[pa.Table, pa.Table]:
    """What may be learned from, and what judges.

    An act before the cut that arrived after it is in neither: it was not known then, and is no
    future either.
    """
    knowable = ~protocol.held_out
    if protocol.cut is not None:
        knowable &= signals[OBSERVED_AT].to_numpy() <= protocol.cut
    return signals.filter(pa.array(knowable)), signals.filter(pa.array(protocol.held_out))


def _seconds(signals: pa.Table) -> NDArray[np.datetime64]:
    instants: NDArray[np.datetime64] = signals["interacted_at"].to_numpy().astype("datetime64[s]")
    return instants
