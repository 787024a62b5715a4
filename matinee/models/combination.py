"""One linear combination of all parts, with weights by context and cohort, chosen by evidence.

A member's score for a title is a sum over parts, so each part's contribution to it is exact. The
weights are those of a conditional logit: which of the candidates did the member watch next? Two
contexts have weights of their own, because they want opposite ones. `next_visit`, the days after
the night, learns from cuts in time. `session`, what follows at once, learns from last titles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.models.candidates import PER_PART, Candidates, Rows, candidates
from matinee.models.history import History
from matinee.models.parts import Parts

Context: TypeAlias = Literal["next_visit", "session"]

BOUNDS = (1, 10, 50)
"""History lengths at which a cohort begins."""

COHORTS = (
    "no history",
    *(
        f"{length} titles, {state}"
        for length in ("1-9", "10-49", "50+")
        for state in ("active", "dormant")
    ),
)


def cohorts(history: History) -> NDArray[np.intp]:
    """Each member's cohort, an index into `COHORTS`: intp, shape (n_members,)."""
    length = np.searchsorted(BOUNDS, history.lengths(), side="right")
    return np.where(length == 0, 0, 2 * length - history.is_active()).astype(np.intp)


@dataclass(frozen=True)
class Scored:
    """Scores of the candidates of a block of members, and where they come from."""

    candidates: Candidates
    cohort: NDArray[np.intp]
    """intp, shape (n_rows,)."""

    weights: NDArray[np.float64]
    """float64, shape (n_cohorts, 2 * n_parts)."""

    parts: tuple[str, ...]

    @property
    def scores(self) -> NDArray[np.float64]:
        """float64, shape (n_candidates,): the sums of `contributions()`."""
        return np.asarray(self.contributions().sum(axis=1), np.float64)

    def contributions(self, chosen: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """What each part adds to each score; of some candidates only, if named by position.

        Both features of a part count as that part's. A part with a negative contribution is never
        a reason.

        Returns
        -------
        float64, shape (n_candidates, n_parts)
        """
        every = np.arange(len(self.candidates.titles)) if chosen is None else chosen
        cohort = self.cohort[self.candidates.row[every]]
        products = np.asarray(self.candidates.features[every] * self.weights[cohort])
        n_parts = len(self.parts)
        return np.asarray(products[:, :n_parts] + products[:, n_parts:], np.float64)

    def dense(self, n_titles: int) -> NDArray[np.float32]:
        """float32, shape (n_rows, n_titles), -inf for titles that are no candidates."""
        wide = np.full((len(self.candidates.rows), n_titles), -np.inf, np.float32)
        wide[self.candidates.row, self.candidates.titles] = self.scores
        return wide

    def best(self, k: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The first `k` titles of each member; of equal scores the lower title row first.

        Returns
        -------
        titles : intp, shape (n_rows, k); -1 where nothing is left
        places : intp, shape (n_rows, k)
            The position of each among the candidates, for `contributions`; -1 beside -1.
        """
        row, scores = self.candidates.row, self.scores
        order = np.lexsort((self.candidates.titles, -scores, row))
        rank = np.arange(len(order)) - self.candidates.indptr[row[order]]
        within = rank < k
        places = np.full((len(self.candidates.rows), k), -1, np.intp)
        places[row[order][within], rank[within]] = order[within]
        titles = np.full(places.shape, -1, np.intp)
        titles[places >= 0] = self.candidates.titles[places[places >= 0]]
        return titles, places


@dataclass(frozen=True)
class Combination:
    """The weights of every context and cohort."""

    parts: tuple[str, ...]
    weights: Mapping[Context, NDArray[np.float64]]
    """float64, shape (n_cohorts, 2 * n_parts) each: spreads first, then ranks."""

    def score(
        self,
        parts: Parts,
        rows: Rows,
        *,
        context: Context,
        excluded: sp.csr_array[np.bool_],
        allowed: NDArray[np.bool_] | None = None,
        per_part: int = PER_PART,
        cohort: NDArray[np.intp] | None = None,
        also: Rows | None = None,
        at_least: int = 0,
    ) -> Scored:
        """Candidates of a block of members and their scores; parameters as for `candidates`.

        `cohort`, intp, shape (n_rows,), is given where the history is not whole any more.

        Raises
        ------
        ConfigError
            If the parts are not those that the weights were chosen for.
        """
        if parts.names != self.parts:
            raise ConfigError(
                f"weights for the parts {', '.join(self.parts)} cannot combine "
                f"{', '.join(parts.names)}: choose weights again"
            )
        found = candidates(
            parts,
            rows,
            excluded=excluded,
            allowed=allowed,
            per_part=per_part,
            also=also,
            at_least=at_least,
        )
        own = cohorts(parts.history)[rows] if cohort is None else cohort
        return Scored(found, own, self.weights[context], self.parts)
