"""Who interacted with what, and when: the one form of it that parts of a combination are fitted on.

Every interaction counts alike: one entry per member and title, at the time of the last event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import DataError

RECENT_SHARE = 0.1
"""A member is active when they acted within this last share of all interactions."""


@dataclass(frozen=True)
class History:
    """Interactions as of one instant, sorted by time, then member, then title."""

    members: NDArray[np.intp]
    """intp, shape (n_interactions,)."""

    titles: NDArray[np.intp]
    """intp, shape (n_interactions,)."""

    times: NDArray[np.int64]
    """int64, shape (n_interactions,): microseconds, ascending."""

    shape: tuple[int, int]
    """(n_members, n_titles)."""

    @classmethod
    def of_signals(
        cls,
        members: NDArray[np.intp],
        titles: NDArray[np.intp],
        signal: NDArray[np.floating] | None,
        times: NDArray[np.datetime64],
        *,
        shape: tuple[int, int],
    ) -> History:
        """Pairs whose signals add up to something positive; without signals, all pairs.

        Parameters
        ----------
        members, titles, signal, times : shape (n,)
            Every event, in any order. A pair may come many times.

        Raises
        ------
        DataError
            If a row is outside `shape`, or nothing is left.
        """
        for name, rows, size in (("member", members, shape[0]), ("title", titles, shape[1])):
            if len(rows) and (rows.min() < 0 or rows.max() >= size):
                raise DataError(
                    f"{name} rows reach from {rows.min()} to {rows.max()}, the vocabulary has "
                    f"{size}: filter them first"
                )
        keys = members.astype(np.int64) * shape[1] + titles
        pairs, place = np.unique(keys, return_inverse=True)
        last = np.full(len(pairs), np.iinfo(np.int64).min)
        np.maximum.at(last, place, times.astype("datetime64[us]").astype(np.int64))
        if signal is not None:
            whole = np.rint(np.asarray(signal, np.float64) * 1e6)  # exact sums in any order
            positive = np.bincount(place, whole, minlength=len(pairs)) > 0
            pairs, last = pairs[positive], last[positive]
        if len(pairs) == 0:
            raise DataError(
                "no member-title pair has a positive signal: nothing to learn from. A signal needs"
                " a rating over 5 stars, a thumb up, or a play of a twentieth of its title; where"
                " runtime_seconds is missing, 90 minutes are assumed: send it with plays or titles"
            )
        order = np.lexsort((pairs, last))
        member, title = np.divmod(pairs[order], shape[1])
        return cls(member.astype(np.intp), title.astype(np.intp), last[order], shape)

    @property
    def age(self) -> NDArray[np.int64]:
        """How many interactions are later than each: int64, shape (n_interactions,)."""
        return len(self.times) - np.searchsorted(self.times, self.times, side="right")

    def matrix(self) -> sp.csr_array[np.float32]:
        """A one per interaction: float32 CSR, columns ascending. Also the plain query."""
        return self._csr(np.ones(len(self.members)))

    def fading(self, *, half_life_titles: float) -> sp.csr_array[np.float32]:
        """A query that halves with every `half_life_titles` titles since: 1 for the last one."""
        by_member = np.argsort(self.members, kind="stable")
        counts = np.bincount(self.members, minlength=self.shape[0])
        from_end = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(by_member))
        weights = np.empty(len(by_member))
        weights[by_member] = np.exp2(-from_end / half_life_titles)
        return self._csr(weights)

    def lengths(self) -> NDArray[np.intp]:
        """Titles per member: intp, shape (n_members,)."""
        return np.bincount(self.members, minlength=self.shape[0])

    def is_active(self) -> NDArray[np.bool_]:
        """Who acted within the last tenth of all interactions: bool, shape (n_members,)."""
        active = np.zeros(self.shape[0], np.bool_)
        active[self.members[self.age < RECENT_SHARE * len(self.members)]] = True
        return active

    def _csr(self, weights: NDArray[np.float64]) -> sp.csr_array[np.float32]:
        entries = (weights.astype(np.float32), (self.members, self.titles))
        matrix = sp.csr_array(entries, shape=self.shape)
        matrix.sort_indices()
        return matrix
