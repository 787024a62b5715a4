"""Every member's slates for both contexts, with their source and a reason for each title.

Members are taken in blocks, in the order of their ids: one machine loops over blocks, many
machines could each take some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices
from matinee.columns import MEMBER_ID, RANK, REASON, ROW_KIND, SCORE, SOURCE, TITLE_ID
from matinee.models.combination import Combination, Context
from matinee.models.fits import Fit
from matinee.models.frame import Frame
from matinee.night.attribution import Attribution, finder_of, last_titles
from matinee.night.catalogue import Catalogue
from matinee.night.policy import exposure_policy
from matinee.night.ranker import NOT_IN_FRAME, SHELF, Lists, Ranker
from matinee.slates import ranking, reason_text, reasons
from matinee.slates.sources import LABELS, Source

BLOCK = 16_384

POOL = 200
"""Titles of a member in the order of their scores, from which shelves are filled."""

SIMILAR = 20
"""Neighbours of a title."""

CONTEXTS: tuple[Context, ...] = ("next_visit", "session")

RELEASE = "release"
"""The folder under `work/` in which a release is put together."""

ROW_KINDS = {Source.HYBRID: "top_picks", Source.COLD_MEMBER: "first_picks"}
"""The shelf a slate is shown on; all other sources are shown as `popular`."""

COMBINATION = "combination"
"""What a context publishes unless a baseline is better."""


@dataclass(frozen=True)
class Block:
    """Slates of some members in one context."""

    table: pa.Table
    members: pa.Table
    rows: NDArray[np.intp]
    """intp, shape (n_members,): rows of the frame, or `ranker.NOT_IN_FRAME`."""

    lists: Lists
    source: NDArray[np.intp]


@dataclass(frozen=True)
class Scorer:
    """The published parts beside the catalogue, ready to fill slates for any block of members."""

    ranker: Ranker
    catalogue: Catalogue
    models: Mapping[Context, str]
    """Context -> `COMBINATION`, or the baseline that is published in its place."""

    @property
    def frame(self) -> Frame:
        return self.ranker.fit.frame

    @property
    def title_vectors(self) -> NDArray[np.float32]:
        """The hybrid's vectors of titles."""
        return self.ranker.fit.model.title_vectors(self.ranker.fit.features.titles)

    @property
    def popular(self) -> tuple[list[str | None], NDArray[np.float64]]:
        """Countries, the last one standing for "unknown", and each title's popularity in each."""
        countries, scores = self.ranker.popular
        return countries, scores[SHELF]

    @cached_property
    def similar(self) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The nearest titles of each title that may be shown anywhere, and how near they are."""
        allowed = [self.catalogue.eligibility.allowed(one, None) for one in self.popular[0]]
        return reasons.similar_titles(
            self.title_vectors, SIMILAR, allowed=np.logical_or.reduce(allowed)
        )

    @cached_property
    def attribution(self) -> Attribution:
        fit = self.ranker.fit
        mean = reasons.mean_member(fit.features.members.matrix, fit.model.member_embeddings)
        return Attribution(
            parts=fit.parts,
            sources=last_titles(fit.parts, self.ranker.nameable),
            titles=fit.features.titles,
            title_embeddings=fit.model.title_embeddings,
            member_vectors=fit.model.member_vectors(fit.features.members),
            mean_member=mean,
            finder=finder_of(fit.features.titles, fit.model.title_embeddings, mean),
        )

    def ranked(
        self, members: pa.Table, contexts: Sequence[Context], *, pool: int = 0
    ) -> dict[Context, Lists]:
        """What may be shown to each of some members, by score alone."""
        rows = self.frame.members.rows(members[MEMBER_ID])
        n_parts = len(self.ranker.parts.names)
        found = {
            context: Lists.empty(len(members), self.ranker.size, n_parts, pool=pool)
            for context in contexts
        }
        for (country, limit), inside in _groups(members).items():
            lists = self.ranker.lists(
                rows[inside],
                country=country,
                allowed=self.catalogue.eligibility.allowed(country, limit),
                contexts=contexts,
                pool=pool,
            )
            for context, own in lists.items():
                for name in ("rows", "contributions", "pool", "pool_scores"):
                    getattr(found[context], name)[inside] = getattr(own, name)
        return found

    def with_policy(self, targets: Sequence[exposure_policy.ExposureTarget]) -> Scorer:
        """The same with the boosts that the first members' slates need to meet the targets."""
        if not targets:
            return self
        members = self.catalogue.members.slice(0, BLOCK)
        rows = self.frame.members.rows(members[MEMBER_ID])
        lists = self.ranked(members, CONTEXTS)
        return replace(self, ranker=self.ranker.with_policy(targets, rows, lists))

    def slates(self, members: pa.Table, contexts: Sequence[Context]) -> dict[Context, Block]:
        """The slates of some members; who is not in the frame gets a non-profiled one."""
        rows = self.frame.members.rows(members[MEMBER_ID])
        source = np.where(rows == NOT_IN_FRAME, Source.NON_PROFILED, self.ranker.sources[rows])
        blocks = {}
        for context, ranked in self.ranked(members, contexts, pool=POOL).items():
            lists = self.ranker.published(rows, ranked, context=context)
            found = self._reasons(rows, source, lists)
            table = self._table(members, source, lists, found, self.labels(context))
            blocks[context] = Block(table, members, rows, lists, source)
        return blocks

    def _reasons(
        self, rows: NDArray[np.intp], source: NDArray[np.intp], lists: Lists
    ) -> reasons.Reasons:
        """The reasons of members with a history; other slates have one sentence each."""
        own = np.flatnonzero(source == Source.HYBRID)
        of_own = lists.of(own)
        found = self.attribution.reasons(rows[own], of_own)
        whole = []
        for values, empty in ((found.kind, 0), (found.index, -1), (found.second, -1)):
            wide = np.full(lists.rows.shape, empty, values.dtype)
            wide[own] = values
            whole.append(wide)
        strength = np.zeros(lists.rows.shape, np.float32)
        strength[own] = found.strength
        return reasons.Reasons(whole[0], whole[1], whole[2], strength)

    def labels(self, context: Context) -> list[str]:
        """The name of each source: a baseline's own where one is published."""
        model = self.models[context]
        return [
            model if model != COMBINATION and one == Source.HYBRID else LABELS[one]
            for one in Source
        ]

    def _table(
        self,
        members: pa.Table,
        source: NDArray[np.intp],
        lists: Lists,
        found: reasons.Reasons,
        labels: Sequence[str],
    ) -> pa.Table:
        member, place = np.nonzero(lists.rows != ranking.NONE)
        of = source[member]
        kinds = pa.array([ROW_KINDS.get(one, "popular") for one in Source])
        return pa.table(
            {
                MEMBER_ID: members[MEMBER_ID].take(pa.array(member)),
                RANK: pa.array(place + 1, pa.int32()),
                TITLE_ID: self.frame.titles.take(lists.rows[member, place]),
                SCORE: lists.scores[member, place],
                ROW_KIND: kinds.take(pa.array(of)),
                REASON: self._texts(members, member, place, of, found),
                SOURCE: pa.array(labels).take(pa.array(of)),
            }
        )

    def _texts(
        self,
        members: pa.Table,
        member: NDArray[np.intp],
        place: NDArray[np.intp],
        source: NDArray[np.intp],
        found: reasons.Reasons,
    ) -> pa.Array:
        """One sentence a place; the vocabulary of sentences is built once, then looked up."""
        of_country = reason_text.popular(members["country"])
        of_feature, of_title = self._sentences
        of_cold_member = reason_text.cold_member(members["country"])
        other = pa.array([reason_text.NEW, reason_text.GENERAL])
        sentences = pa.concat_arrays([of_country, of_cold_member, other, of_feature, of_title])
        kind, index, second = (
            part[member, place] for part in (found.kind, found.index, found.second)
        )
        is_hybrid = source == Source.HYBRID
        first_other = 2 * len(of_country)
        first_feature = first_other + len(other)
        choice = member.copy()  # popular in the member's country
        choice[source == Source.COLD_MEMBER] += len(of_country)
        choice[is_hybrid & (kind == reasons.Kind.NEW)] = first_other
        choice[is_hybrid & (kind == reasons.Kind.NONE)] = first_other + 1
        is_feature = is_hybrid & (kind == reasons.Kind.FEATURE)
        is_title = is_hybrid & (kind == reasons.Kind.TITLE)
        choice[is_feature] = first_feature + index[is_feature]
        choice[is_title] = first_feature + len(of_feature) + index[is_title]
        labels = pa.array([reason_text.short(label) for label in self.catalogue.labels])
        named_too = labels.take(pa.array(second, mask=second < 0))
        both = pc.binary_join_element_wise(sentences.take(pa.array(choice)), named_too, " and ")
        return pc.coalesce(both, sentences.take(pa.array(choice)))

    @cached_property
    def _sentences(self) -> tuple[pa.Array, pa.Array]:
        names = self.ranker.fit.features.titles.names
        return (
            pa.array([reason_text.feature(name) for name in names]),
            pa.array([reason_text.watched(label) for label in self.catalogue.labels]),
        )


def ready(
    fit: Fit,
    combination: Combination,
    catalogue: Catalogue,
    *,
    slate_size: int,
    calibration_weight: float,
    models: Mapping[Context, str] | None = None,
) -> Scorer:
    """Parts of the published frame and their weights beside tonight's catalogue."""
    ranker = Ranker(
        fit=fit,
        combination=combination,
        seen=_seen(fit.frame, catalogue),
        countries=_countries(fit.frame, catalogue),
        size=slate_size,
        calibration_weight=calibration_weight,
    )
    return Scorer(ranker, catalogue, models or dict.fromkeys(CONTEXTS, COMBINATION))


def _seen(frame: Frame, catalogue: Catalogue) -> sp.csr_array[np.bool_]:
    """Titles that the frame's members have seen by now, bool CSR."""
    members = frame.members.rows(catalogue.seen[MEMBER_ID])
    titles = frame.titles.rows(catalogue.seen[TITLE_ID])
    known = (members >= 0) & (titles >= 0)
    return matrices.seen(members[known], titles[known], shape=frame.shape)


def _countries(frame: Frame, catalogue: Catalogue) -> list[str | None]:
    """The country of each member of the frame; None where the account is closed."""
    by_member = dict(
        zip(
            catalogue.members[MEMBER_ID].to_pylist(),
            catalogue.members["country"].to_pylist(),
            strict=True,
        )
    )
    return [by_member.get(name) for name in frame.members.ids.to_pylist()]


def _groups(members: pa.Table) -> dict[tuple[str | None, int | None], NDArray[np.intp]]:
    """Members by what decides which titles they may be shown: country and maturity limit."""
    groups: dict[tuple[str | None, int | None], list[int]] = {}
    pairs = zip(members["country"].to_pylist(), members["maximum_age"].to_pylist(), strict=True)
    for row, pair in enumerate(pairs):
        groups.setdefault(pair, []).append(row)
    return {pair: np.array(rows, np.intp) for pair, rows in groups.items()}
