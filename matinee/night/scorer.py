"""Every member's slate from the published model, with its source and a reason for each title.

Members are taken in blocks, in the order of their ids: one machine loops over blocks, many
machines could each take some.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices
from matinee.columns import MEMBER_ID, PLACES, RANK, REASON, ROW_KIND, SCORE, SOURCE, TITLE_ID
from matinee.models import fallback, feature_families, hybrid
from matinee.models.frame import Frame
from matinee.night import exposure_policy
from matinee.night.catalogue import Catalogue, read_catalogue
from matinee.night.frame import PUBLISHED, read_frame
from matinee.night.night import Night
from matinee.slates import calibration, ranking, reason_text, reasons
from matinee.slates.sources import LABELS, Source, is_modelled

BLOCK = 16_384

RELEASE = "release"
"""The folder under `work/` in which a release is put together."""

ROW_KINDS = {Source.HYBRID: "top_picks", Source.COLD_MEMBER: "first_picks"}
"""The shelf a slate is shown on; all other sources are shown as `popular`."""


@dataclass(frozen=True)
class Block:
    """Slates of some members, as a table and as rows of the catalogue."""

    table: pa.Table
    rows: NDArray[np.intp]
    source: NDArray[np.intp]


@dataclass(frozen=True)
class Ranked:
    """Slates by score alone."""

    frame_rows: NDArray[np.intp]
    source: NDArray[np.intp]
    rows: NDArray[np.intp]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class Scorer:
    """The published model beside the catalogue, ready to fill slates for any block of members."""

    frame: Frame
    catalogue: Catalogue
    model: hybrid.HybridModel
    features: feature_families.Described
    slate_size: int
    calibration_weight: float = 0.0
    policy: tuple[exposure_policy.Wanted, ...] = ()

    @cached_property
    def member_vectors(self) -> NDArray[np.float32]:
        return self.model.member_vectors(self.features.members)

    @cached_property
    def title_vectors(self) -> NDArray[np.float32]:
        return self.model.title_vectors(self.features.titles)

    @cached_property
    def liked(self) -> sp.csr_array[np.float32]:
        return sp.csr_array(self.frame.interactions())

    @cached_property
    def anchors(self) -> NDArray[np.intp]:
        """The liked titles that reasons may name: watched ones, for a search is no watching."""
        return reasons.anchors(sp.csr_array(self.liked.multiply(self.seen)))

    @cached_property
    def genres(self) -> sp.csr_array[np.float32]:
        """What part of each title is which genre."""
        return feature_families.genres(self.features)

    @cached_property
    def mixes(self) -> NDArray[np.float32]:
        """Each member's own mix of genres."""
        return calibration.tastes(self.liked, self.genres)

    @cached_property
    def everybody(self) -> NDArray[np.float32]:
        return reasons.mean_member(self.features.members.matrix, self.model.member_embeddings)

    @cached_property
    def teller(self) -> reasons.ReasonFinder:
        return reasons.ReasonFinder(
            self.features.titles.matrix,
            self.model.title_embeddings,
            self.everybody,
            usable=reason_text.has_sentence(self.features.titles.families),
            identity=self._identity(self.features.titles),
        )

    @cached_property
    def seen(self) -> sp.csr_array[np.bool_]:
        """Rows follow the frame's members: those who may be personalised."""
        met = self.catalogue.seen
        members = self.frame.members.rows(met[MEMBER_ID])
        titles = self.frame.titles.rows(met[TITLE_ID])
        known = (members >= 0) & (titles >= 0)
        return matrices.seen(members[known], titles[known], shape=self.frame.shape)

    @cached_property
    def sources(self) -> NDArray[np.intp]:
        """The `Source` of each member of the frame."""
        active = matrices.has_interactions(self.liked)
        told = fallback.described(self.model, self.features)
        return np.where(
            active, Source.HYBRID, np.where(told, Source.COLD_MEMBER, Source.POPULAR)
        ).astype(np.intp)

    @cached_property
    def popular(self) -> tuple[list[str | None], NDArray[np.float64]]:
        """Countries, the last one standing for "unknown", and each title's popularity in each."""
        of_member = self.catalogue.members
        return fallback.popular(self.frame, of_member[MEMBER_ID], of_member["country"])

    @cached_property
    def lifts(self) -> list[exposure_policy.Lift]:
        """What the policy takes, found on the first members and the same for all."""
        if not self.policy:
            return []
        ranked = self.ranked(self.catalogue.members.slice(0, BLOCK), self.title_vectors)
        slates = self.calibrated(ranked, self.calibration_weight)
        return exposure_policy.lifts(slates, self.frame, self.policy)

    def block(self, start: int) -> Block:
        """The slates of `BLOCK` members from row `start` of the catalogue's members."""
        return self.slates(self.catalogue.members.slice(start, BLOCK))

    def slates(self, members: pa.Table) -> Block:
        """The slates of some members; who is not in the frame gets a non-profiled one."""
        ranked = self.ranked(members, self.title_vectors)
        frame_rows, source = ranked.frame_rows, ranked.source
        slates = self.calibrated(ranked, self.calibration_weight)
        rows, scores = exposure_policy.raised(slates, self.lifts)
        modelled = np.flatnonzero(is_modelled(source))
        of_members = self.member_vectors[frame_rows[modelled]]
        # What reasons add up to.
        first = rows[modelled, :PLACES]
        scores[modelled, :PLACES] = ranking.scores_of(first, of_members, self.title_vectors)
        told = self.teller.best(
            self.member_vectors[np.maximum(frame_rows, 0)],
            np.where((source == Source.HYBRID)[:, None], rows, ranking.NONE),
            self.anchors[np.maximum(frame_rows, 0)],
        )
        return Block(self._table(members, source, rows, scores, told), rows, source)

    def ranked(self, members: pa.Table, title_vectors: NDArray[np.float32]) -> Ranked:
        """What may be shown to each of some members, by score alone."""
        frame_rows = self.frame.members.rows(members[MEMBER_ID])
        profiled = frame_rows >= 0
        source = np.where(profiled, self.sources[frame_rows], Source.NON_PROFILED)
        rows = np.full((len(members), self.slate_size), ranking.NONE, np.intp)
        scores = np.full(rows.shape, -np.inf, np.float32)
        countries, popular = self.popular
        for (country, limit), inside in _groups(members).items():
            allowed = self.catalogue.eligibility.allowed(country, limit)
            by_model = inside[is_modelled(source[inside])]
            rows[by_model], scores[by_model] = ranking.best_titles(
                self.member_vectors[frame_rows[by_model]],
                title_vectors,
                self.slate_size,
                excluded=self.seen[frame_rows[by_model]],
                allowed=allowed,
            )
            for number, profiled_too in ((Source.POPULAR, True), (Source.NON_PROFILED, False)):
                same = inside[source[inside] == number]
                # Nothing about a member is in a non-profiled list, not even what to leave out:
                # all who share a country and a limit get the same.
                rows[same], scores[same] = ranking.best_of_scores(
                    popular[[countries.index(country)]],
                    np.zeros(len(same), np.intp),
                    self.slate_size,
                    excluded=self.seen[frame_rows[same]] if profiled_too else None,
                    allowed=allowed,
                )
        return Ranked(frame_rows, source, rows, scores)

    def calibrated(self, ranked: Ranked, weight: float) -> ranking.Slates:
        """The slates that the model made, near to each member's own mix; the others as they are."""
        by_model = np.flatnonzero(is_modelled(ranked.source))
        rows, scores = ranked.rows.copy(), ranked.scores.copy()
        rows[by_model], scores[by_model] = calibration.rerank(
            rows[by_model],
            scores[by_model],
            self.mixes[ranked.frame_rows[by_model]],
            self.genres,
            weight=weight,
        )
        return rows, scores

    def _table(
        self,
        members: pa.Table,
        source: NDArray[np.intp],
        rows: NDArray[np.intp],
        scores: NDArray[np.float32],
        told: reasons.Reasons,
    ) -> pa.Table:
        member, place = np.nonzero(rows != ranking.NONE)
        of = source[member]
        kinds = pa.array([ROW_KINDS.get(one, "popular") for one in Source])
        return pa.table(
            {
                MEMBER_ID: members[MEMBER_ID].take(pa.array(member)),
                RANK: pa.array(place + 1, pa.int32()),
                TITLE_ID: self.frame.titles.take(rows[member, place]),
                SCORE: scores[member, place],
                ROW_KIND: kinds.take(pa.array(of)),
                REASON: self._words(members, member, place, of, told),
                SOURCE: pa.array(LABELS).take(pa.array(of)),
            }
        )

    def _words(
        self,
        members: pa.Table,
        member: NDArray[np.intp],
        place: NDArray[np.intp],
        source: NDArray[np.intp],
        told: reasons.Reasons,
    ) -> pa.Array:
        """One sentence a place; the vocabulary of sentences is built once, then looked up."""
        of_country = reason_text.popular(members["country"])
        of_feature, of_title = self._sentences
        of_newcomer = reason_text.cold_member(members["country"])
        sentences = pa.concat_arrays([of_country, of_newcomer, of_feature, of_title])
        kind, index, second = (part[member, place] for part in (told.kind, told.index, told.second))
        choice = member.copy()  # popular where the member is
        is_feature = (source == Source.HYBRID) & (kind == reasons.Kind.FEATURE)
        is_title = (source == Source.HYBRID) & (kind == reasons.Kind.TITLE)
        choice[source == Source.COLD_MEMBER] += len(of_country)
        choice[is_feature] = 2 * len(of_country) + index[is_feature]
        choice[is_title] = 2 * len(of_country) + len(of_feature) + index[is_title]
        labels = pa.array([reason_text.short(label) for label in self.catalogue.labels])
        named_too = labels.take(pa.array(second, mask=second < 0))
        both = pc.binary_join_element_wise(sentences.take(pa.array(choice)), named_too, " and ")
        return pc.coalesce(both, sentences.take(pa.array(choice)))

    @cached_property
    def _sentences(self) -> tuple[pa.Array, pa.Array]:
        return (
            pa.array([reason_text.feature(name) for name in self.features.titles.names]),
            pa.array([reason_text.watched(label) for label in self.catalogue.labels]),
        )

    @staticmethod
    def _identity(features: matrices.Features) -> NDArray[np.bool_]:
        return features.columns_of(matrices.IDENTITY)


def ready(night: Night, model: hybrid.HybridModel, *, calibration_weight: float) -> Scorer:
    """A model of the published frame beside tonight's catalogue and policy."""
    frame = read_frame(night.work(PUBLISHED))
    return Scorer(
        frame=frame,
        catalogue=read_catalogue(night),
        model=model,
        features=feature_families.described(frame, feature_families.HYBRID),
        slate_size=night.settings.slate_size,
        calibration_weight=calibration_weight,
        policy=exposure_policy.policy(night.settings.project),
    )


def _groups(members: pa.Table) -> dict[tuple[str | None, int | None], NDArray[np.intp]]:
    """Members by what decides which titles they may be shown: country and maturity limit."""
    groups: dict[tuple[str | None, int | None], list[int]] = {}
    pairs = zip(members["country"].to_pylist(), members["maximum_age"].to_pylist(), strict=True)
    for row, pair in enumerate(pairs):
        groups.setdefault(pair, []).append(row)
    return {pair: np.array(rows, np.intp) for pair, rows in groups.items()}
