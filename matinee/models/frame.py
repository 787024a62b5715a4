"""The training frame: signals and features as of one instant, rows in the order of vocabularies."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices
from matinee.columns import MEMBER_ID, OBSERVED_AT, TITLE_ID
from matinee.evaluation import splits
from matinee.models.history import History
from matinee.vocabulary import Vocabulary

SECONDS_PER_DAY = 86_400


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

    @cached_property
    def history(self) -> History:
        """The interactions in the order of time, each counting alike."""
        members, titles = self.rows(self.signals)
        return History.of_signals(
            members, titles, self.weights, _seconds(self.signals), shape=self.shape
        )

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

    @property
    def is_time_cut(self) -> bool:
        """Whether everything held out is later than the instant of the frame."""
        if not len(self.held_out):
            return False
        first = pc.min(self.held_out["interacted_at"]).as_py()
        return bool(first >= self.as_of.replace(tzinfo=None))

    @property
    def in_catalogue(self) -> NDArray[np.bool_]:
        """Titles that the catalogue listed at this instant: bool, shape (n_titles,)."""
        listed: NDArray[np.bool_] = pc.is_valid(self.title_features["title_kind"]).to_numpy()
        return listed

    def time_cut(self) -> Frame | None:
        """The frame of a cut that holds out the last tenth of the signals.

        Features stay those of this frame. None where no midnight divides the signals, or nothing
        positive is left on either side.
        """
        times = self.signals["interacted_at"].to_numpy()
        if len(np.unique(times.astype("datetime64[D]"))) < 2:
            return None
        cut = splits.global_time_cut(times)
        held_out = splits.time_split(times, cut)
        known = ~held_out & (self.signals[OBSERVED_AT].to_numpy() <= cut)
        instant = datetime.fromisoformat(str(cut)).replace(tzinfo=UTC)
        return self._split(known, held_out, instant)

    def last_titles(self) -> Frame | None:
        """The frame that holds out each member's last ten titles, at most half of them.

        None where no member has two titles.
        """
        times = self.signals["interacted_at"].to_numpy()
        held_out = splits.leave_last(*self.rows(self.signals), times, per_member=splits.PER_MEMBER)
        return self._split(~held_out, held_out, self.as_of)

    def _split(
        self, known: NDArray[np.bool_], held_out: NDArray[np.bool_], instant: datetime
    ) -> Frame | None:
        split = replace(
            self,
            as_of=instant,
            signals=self.signals.filter(pa.array(known)),
            held_out=self.signals.filter(pa.array(held_out)),
        )
        if not (split.weights > 0).any() or not split.truth().nnz:
            return None
        return split


def in_days(half_life: float) -> float | None:
    """A half-life for JSON: None where it is infinite."""
    return half_life if math.isfinite(half_life) else None


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
