"""Lists of titles as a night publishes them: combined, calibrated, with the policy applied.

The night's slates, its evaluation and `matinee benchmark` all rank with a `Ranker`, so what is
evaluated is what is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.matrices import has_interactions
from matinee.models import fallback, feature_families
from matinee.models.candidates import PER_PART, candidates
from matinee.models.combination import Combination, Context, Scored, cohorts
from matinee.models.fits import Fit
from matinee.models.history import History
from matinee.models.parts import ForEveryone, Part, Parts, Settings
from matinee.night.policy import exposure_policy
from matinee.slates import calibration, ranking
from matinee.slates.sources import Source

BLOCK = 512
"""Members whose candidates are found at once."""

SHELF = "popularity-16000"
"""The part that orders shelves of what is popular in a country."""

NOT_IN_FRAME = -1
"""The row of a member who is not in the frame: without consent to personalisation."""


@dataclass(frozen=True)
class Lists:
    """Ranked titles of some members, and what each part adds to their scores."""

    rows: NDArray[np.intp]
    """intp, shape (n_members, k): title rows, `ranking.NONE` where nothing is left."""

    contributions: NDArray[np.float64]
    """float64, shape (n_members, k, n_parts): 0 beside `ranking.NONE`."""

    pool: NDArray[np.intp] = field(default_factory=lambda: np.empty((0, 0), np.intp))
    """intp, shape (n_members, n): more titles by score alone, from the first on, for shelves."""

    pool_scores: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """float32, shape (n_members, n): -inf beside `ranking.NONE`."""

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """float32, shape (n_members, k): the sums of contributions; -inf beside NONE."""
        sums = self.contributions.sum(axis=2)
        return np.where(self.rows == ranking.NONE, -np.inf, sums).astype(np.float32)

    @classmethod
    def empty(cls, n_members: int, size: int, n_parts: int, *, pool: int = 0) -> Lists:
        """Lists to be filled."""
        shape = n_members, size
        return cls(
            np.full(shape, ranking.NONE, np.intp),
            np.zeros((*shape, n_parts)),
            np.full((n_members, pool), ranking.NONE, np.intp),
            np.full((n_members, pool), -np.inf, np.float32),
        )

    @property
    def slates(self) -> ranking.Slates:
        return self.rows, self.scores

    def of(self, members: NDArray[np.intp]) -> Lists:
        """Those of some members, by position."""
        return Lists(
            self.rows[members],
            self.contributions[members],
            self.pool[members],
            self.pool_scores[members],
        )

    def ordered_as(self, rows: NDArray[np.intp]) -> Lists:
        """The same titles of each member in the order of `rows`."""
        place = np.empty_like(rows)
        before, after = (np.argsort(one, axis=1, kind="stable") for one in (self.rows, rows))
        np.put_along_axis(place, after, before, axis=1)
        added = np.take_along_axis(self.contributions, place[:, :, None], axis=1)
        return replace(self, rows=rows, contributions=added)


@dataclass(frozen=True)
class Ranker:
    """Fitted parts with the weights that combine them, ready to rank for any members."""

    fit: Fit
    combination: Combination
    seen: sp.csr_array[np.bool_]
    """bool CSR, shape (n_members, n_titles): titles that a member is not shown again."""

    countries: Sequence[str | None]
    """One for each member row."""

    size: int
    """Places of a list."""

    calibration_weight: float = 0.0
    boosts: Mapping[Context, Sequence[exposure_policy.Boost]] = field(default_factory=dict)

    @property
    def parts(self) -> Parts:
        return self.fit.parts

    @cached_property
    def liked(self) -> sp.csr_array[np.float32]:
        return sp.csr_array(self.fit.frame.interactions())

    @cached_property
    def nameable(self) -> sp.csr_array[np.bool_]:
        """Titles that were watched and liked: those that reasons may name."""
        both = sp.csr_array(self.liked.astype(np.bool_).multiply(self.seen))
        both.sort_indices()
        return both

    @cached_property
    def genres(self) -> sp.csr_array[np.float32]:
        """The genre shares of each title."""
        return feature_families.genres(self.fit.features)

    @cached_property
    def tastes(self) -> NDArray[np.float32]:
        """Each member's genre distribution."""
        return calibration.tastes(self.liked, self.genres)

    @cached_property
    def sources(self) -> NDArray[np.intp]:
        """The `Source` of each member of the frame."""
        profiled = fallback.described(self.fit.model, self.fit.features)
        without = np.where(profiled, Source.COLD_MEMBER, Source.POPULAR)
        has_history = has_interactions(self.parts.history.matrix())
        return np.where(has_history, Source.HYBRID, without).astype(np.intp)

    @cached_property
    def cohorts(self) -> NDArray[np.intp]:
        return cohorts(self.parts.history)

    @cached_property
    def popular(self) -> tuple[list[str | None], dict[str, NDArray[np.float64]]]:
        """Countries, None for "unknown" last, and each popularity part in each of them."""
        half_lives = {
            "popularity" if np.isinf(one) else f"popularity-{one:.0f}": one
            for one in Settings().half_lives
        }
        names, scores = fallback.popular(
            self.parts.history, list(half_lives.values()), self.countries
        )
        return names, dict(zip(half_lives, scores, strict=True))

    def lists(
        self,
        rows: NDArray[np.intp],
        *,
        country: str | None,
        allowed: NDArray[np.bool_],
        contexts: Sequence[Context],
        pool: int = 0,
    ) -> dict[Context, Lists]:
        """The lists of some members of one country, before calibration and policy.

        Parameters
        ----------
        rows : intp, shape (n_members,)
            Rows of the frame, or `NOT_IN_FRAME`. The list of `NOT_IN_FRAME` uses nothing about the
            member, not even seen titles: it depends on country and maturity limit only.
        country
            Decides what is popular for members without interactions.
        allowed : bool, shape (n_titles,)
            Titles that may be shown to them.
        pool : int
            Places of `Lists.pool`.
        """
        n_parts = len(self.parts.names)
        found = {
            context: Lists.empty(len(rows), self.size, n_parts, pool=pool) for context in contexts
        }
        source = np.where(rows == NOT_IN_FRAME, Source.NON_PROFILED, self.sources[rows])
        for kind in np.unique(source):
            inside = np.flatnonzero(source == kind)
            for start in range(0, len(inside), BLOCK):
                block = inside[start : start + BLOCK]
                of_kind = self._scored(rows[block], Source(kind), country, allowed, contexts)
                for context, scored in of_kind.items():
                    _fill(found[context], block, scored)
        return found

    def _scored(
        self,
        rows: NDArray[np.intp],
        source: Source,
        country: str | None,
        allowed: NDArray[np.bool_],
        contexts: Sequence[Context],
    ) -> dict[Context, Scored]:
        """Scored candidates of members of one source."""
        parts, cohort = self.parts, self.cohorts[rows]
        if source is Source.NON_PROFILED:
            excluded = sp.csr_array((1, len(allowed)), dtype=np.bool_)  # one list for all of them
        else:
            excluded = self.seen[rows]
        if source is Source.COLD_MEMBER:
            parts = Parts({**parts.by_name, **self.popular_in(country)}, parts.history)
        elif source is not Source.HYBRID:
            parts = without_history(parts, self.popular_in(country))
            rows = cohort = np.zeros(excluded.shape[0], np.intp)
        block = candidates(parts, rows, excluded=excluded, allowed=allowed, at_least=PER_PART)
        return {
            context: Scored(block, cohort, self.combination.weights[context], parts.names)
            for context in contexts
        }

    def popular_in(self, country: str | None) -> dict[str, Part]:
        """The popularity parts of members without interactions in a country."""
        names, scores = self.popular
        place = names.index(country) if country in names else len(names) - 1
        return {name: ForEveryone(rows[place].astype(np.float32)) for name, rows in scores.items()}

    def calibrated(self, rows: NDArray[np.intp], lists: Lists, *, weight: float) -> Lists:
        """The lists of members with a history near their own genres; the others as they are."""
        if not weight:
            return lists
        own = np.flatnonzero((rows != NOT_IN_FRAME) & (self.sources[rows] == Source.HYBRID))
        order = lists.rows.copy()
        order[own], _ = calibration.rerank(
            lists.rows[own],
            lists.scores[own],
            self.tastes[rows[own]],
            self.genres,
            weight=weight,
        )
        return lists.ordered_as(order)

    def published(
        self, rows: NDArray[np.intp], lists: Lists, *, context: Context, policy: bool = True
    ) -> Lists:
        """Lists as members see them: calibrated, then with the boosts of the policy.

        Session lists are not calibrated: they follow the title just watched, not the member's
        genre distribution.
        """
        weight = self.calibration_weight if context == "next_visit" else 0.0
        result = self.calibrated(rows, lists, weight=weight)
        boosts = self.boosts.get(context, ()) if policy else ()
        order, _ = exposure_policy.boosted(result.slates, boosts)
        return result.ordered_as(order) if boosts else result

    def with_policy(
        self,
        targets: Sequence[exposure_policy.ExposureTarget],
        rows: NDArray[np.intp],
        lists: Mapping[Context, Lists],
    ) -> Ranker:
        """The same with the boosts that these lists need to meet the targets of the policy."""
        boosts: dict[Context, Sequence[exposure_policy.Boost]] = {}
        for context, one in lists.items() if targets else ():
            before = self.published(rows, one, context=context, policy=False)
            boosts[context] = exposure_policy.boosts(before.slates, self.fit.frame, targets)
        return replace(self, boosts=boosts)


def without_history(parts: Parts, popular: Mapping[str, Part]) -> Parts:
    """The parts for one member without history: popularity in the country, zero for the others."""
    n_titles = parts.history.shape[1]
    zeros = ForEveryone(np.zeros(n_titles, np.float32))
    by_name = {
        name: popular.get(name, part if part.same_for_all else zeros)
        for name, part in parts.by_name.items()
    }
    empty = np.empty(0, np.intp)
    return Parts(by_name, History(empty, empty, empty.astype(np.int64), (1, n_titles)))


def _fill(lists: Lists, members: NDArray[np.intp], scored: Scored) -> None:
    """Write the best candidates into the lists of some members; one row may be for all."""
    size, pool = lists.rows.shape[1], lists.pool.shape[1]
    titles, places = scored.best(max(size, pool))
    scores = np.where(places >= 0, scored.scores[places], -np.inf)
    lists.pool[members], lists.pool_scores[members] = titles[:, :pool], scores[:, :pool]
    titles, places = titles[:, :size], places[:, :size]
    filled = places >= 0
    added = np.zeros((*titles.shape, lists.contributions.shape[2]))
    added[filled] = scored.contributions(places[filled])
    lists.rows[members], lists.contributions[members] = titles, added
