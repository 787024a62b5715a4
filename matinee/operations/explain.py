"""Explains a score: exact contributions of features, from the arrays of a release alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices, releases
from matinee.columns import MEMBER_ID, RANK, REASON, SCORE, SOURCE, TITLE_ID
from matinee.errors import ConfigError, DataError
from matinee.models import fallback
from matinee.models.candidates import PER_PART
from matinee.models.combination import Combination
from matinee.models.parts import ForEveryone, Part, Parts
from matinee.night import combine
from matinee.night.attribution import POPULARITY, WATCHED, Attribution, finder_of, last_titles
from matinee.night.forward.released import Released, features_of
from matinee.night.model_files import read_array, read_matrix
from matinee.night.ranker import Lists, without_history
from matinee.night.score import (
    MEAN_MEMBER,
    MEMBER_MATRIX,
    POPULAR,
    TITLE_MATRIX,
)
from matinee.releases import lookup
from matinee.rights import consent
from matinee.settings import Settings
from matinee.slates import ranking, reason_text, reasons
from matinee.vocabulary import Vocabulary

Row = dict[str, Any]

NO_OWN_REASON = "No interaction or preference of the member supports it"

ABSOLUTE, RELATIVE = 1e-5, 1e-6
"""Absolute and relative tolerance between the sum of contributions and the score: both are sums of
32-bit numbers, in different orders."""

NEAR = 0.05
"""How far the score of a slate may be from the same score computed alone: the last bit of a part's
score may change a rank among titles that are nearly equal."""


@dataclass(frozen=True)
class Explanation:
    """One score and its contributions."""

    member_id: str
    title: str
    score: float
    rank: int | None
    """The rank in the member's slate, null if the title is not in it."""
    slate_source: str | None
    words: str
    """The reason text of the slate, which limits repeated reasons; the strongest reason for a title
    that is not in the slate."""
    groups: list[Row]
    """group, names (largest contribution first), contribution; by size. They sum to the score."""
    features: list[Row]
    """feature, contribution: the same without groups."""


def explain(settings: Settings, member: str, title: str, *, release: str) -> Explanation:
    """The contributions to the score of any title for a personalised member.

    Raises
    ------
    ConfigError
        If the release has no such title, or no scores for the member. Members without consent to
        personalisation have no scores, also after a later withdrawal.
    """
    if not consent.may_personalise(settings, member):
        raise ConfigError(
            f"member {member!r} refused personalisation: their data is not used, and the "
            "non-profiled list has no personal reasons"
        )
    opened = releases.Store.of(settings.home).open(release)
    title_id = lookup.find_title(opened, title)
    members = Vocabulary.from_ids(opened.table("vocabulary/members.parquet")[MEMBER_ID])
    titles = Vocabulary.from_ids(opened.titles()[TITLE_ID])
    row = int(members.rows([member])[0])
    if row < 0:
        raise ConfigError(
            f"release {opened.id} has no scores for member {member!r}: unknown, or without consent "
            "to personalisation; a popularity slate has no personal reasons"
        )
    column = int(titles.rows([title_id])[0])
    of_release = _Scores.of if (opened.path / combine.FILE).exists() else _Arrays.of
    scores = of_release(opened, members, titles)
    score, parts = scores.contributions(row, column)
    slate = opened.slate(member)
    place = pc.index(slate[TITLE_ID], title_id).as_py()
    shown = slate.slice(place, 1).to_pylist()[0] if place >= 0 else {}
    total = sum(parts.values())
    published = shown.get(SCORE) if isinstance(scores, _Scores) and _is_whole(opened) else None
    if not np.isclose(total, score, rtol=RELATIVE, atol=ABSOLUTE) or (
        published is not None and not np.isclose(total, published, rtol=NEAR, atol=NEAR)
    ):
        raise DataError(
            f"contributions for {member} and {title_id} sum to {total}, "
            f"the score is {score if published is None else published}: the arrays of release "
            f"{opened.id} are inconsistent"
        )
    named = [lookup.display_title(opened, name) for name in scores.because_of(row, column)]
    by_size = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    return Explanation(
        member_id=member,
        title=lookup.display_title(opened, title_id),
        score=score,
        rank=shown.get(RANK),
        slate_source=shown.get(SOURCE),
        words=str(shown.get(REASON) or scores.text(opened, row, column) or NO_OWN_REASON),
        groups=_grouped(opened, parts, named),
        features=[{"feature": name, "contribution": part} for name, part in by_size],
    )


def _is_whole(release: releases.Release) -> bool:
    """Whether no member was erased: the rest has nearly the same scores without them."""
    return not release.manifest.get("privacy", {}).get("erased_members", 0)


class _OfRelease(Protocol):
    """Scores of any member and title, from the files of a release."""

    def contributions(self, member: int, title: int) -> tuple[float, dict[str, float]]:
        """The score, and what adds up to it."""

    def because_of(self, member: int, title: int) -> list[str]:
        """The ids of the watched titles that a title's own part is put down to."""

    def text(self, release: releases.Release, member: int, title: int) -> str | None:
        """The reason that a slate of this title alone would give; None without any."""


@dataclass(frozen=True)
class _Scores:
    """The scores of a combination."""

    titles: Vocabulary
    parts: Parts
    cohorts: NDArray[np.intp]
    combination: Combination
    seen: sp.csr_array[np.bool_]
    allowed: NDArray[np.bool_]
    """bool, shape (n_groups, n_titles): by the number of the list for all."""

    popular: NDArray[np.float32]
    """float32, shape (n_groups, n_popularity_parts, n_titles)."""

    profiled: NDArray[np.bool_]
    """Members with a trained feature besides their identity, bool, shape (n_members,)."""

    groups: NDArray[np.intp]
    """intp, shape (n_members,): the number of each member's group; -1 for closed accounts."""

    attribution: Attribution

    @classmethod
    def of(cls, release: releases.Release, members: Vocabulary, titles: Vocabulary) -> _Scores:
        opened = Released.of(release)
        folder, features = release.path / "model", opened.features
        embeddings = np.asarray(opened.model.title_embeddings)
        mean = np.asarray(read_array(folder, MEAN_MEMBER), np.float32)
        return cls(
            titles=titles,
            parts=opened.parts,
            cohorts=opened.cohorts,
            combination=opened.chosen.combination(opened.parts.names),
            seen=opened.seen,
            allowed=opened.allowed,
            popular=read_array(release.path / "fallback", POPULAR),
            profiled=fallback.described(opened.model, features),
            groups=opened.groups,
            attribution=Attribution(
                parts=opened.parts,
                sources=last_titles(opened.parts, opened.nameable),
                titles=features.titles,
                title_embeddings=embeddings,
                member_vectors=opened.model.member_vectors(features.members),
                mean_member=mean,
                finder=finder_of(features.titles, embeddings, mean),
            ),
        )

    def _lists(self, member: int, title: int) -> Lists:
        """A list of this title alone."""
        row, parts, group = member, self.parts, self.groups[member]
        if self.cohorts[member] == 0 and group >= 0:
            names = [name for name in parts.names if name.startswith(POPULARITY)]
            rows = zip(names, self.popular[group], strict=True)
            popular: dict[str, Part] = {name: ForEveryone(values) for name, values in rows}
            if self.profiled[member]:
                parts = Parts({**parts.by_name, **popular}, parts.history)
            else:
                row, parts = 0, without_history(parts, popular)
        scored = self.combination.score(
            parts,
            np.array([row]),
            context="next_visit",
            excluded=self.seen[[member]],
            allowed=self.allowed[group] if group >= 0 else None,
            cohort=self.cohorts[[member]],
            also=np.array([title]),
            at_least=PER_PART,
        )
        place = np.flatnonzero(scored.candidates.titles == title)
        return Lists(np.array([[title]]), scored.contributions(place)[None, :, :])

    def contributions(self, member: int, title: int) -> tuple[float, dict[str, float]]:
        lists = self._lists(member, title)
        _, names, amounts = self.attribution.rows_of(
            np.array([member]),
            np.array([title]),
            lists.contributions[0],
            title_ids=self.titles,
            most_named=self.attribution.sources.shape[1],
        )
        score = float(lists.contributions.sum())
        return score, dict(zip(names.to_pylist(), amounts.tolist(), strict=True))

    def because_of(self, member: int, title: int) -> list[str]:
        return []  # contributions name the titles themselves

    def text(self, release: releases.Release, member: int, title: int) -> str | None:
        if self.parts.history.lengths()[member] == 0:
            return None
        found = self.attribution.reasons(np.array([member]), self._lists(member, title))
        kind, index, second = (int(part[0, 0]) for part in (found.kind, found.index, found.second))
        if kind == reasons.Kind.TITLE:
            watched = [row for row in (index, second) if row >= 0]
            names = self.titles.take(np.array(watched)).to_pylist()
            return reason_text.watched(*(lookup.display_title(release, name) for name in names))
        if kind == reasons.Kind.FEATURE:
            return reason_text.feature(self.attribution.titles.names[index])
        return {reasons.Kind.NEW: reason_text.NEW, reasons.Kind.POPULAR: reason_text.POPULAR}.get(
            reasons.Kind(kind), reason_text.GENERAL
        )


@dataclass(frozen=True)
class _Arrays:
    """The scores of an older release: of one model, whose features add up."""

    titles: Vocabulary
    names: tuple[str, ...]
    families: tuple[str, ...]
    member_matrix: Any
    title_matrix: Any
    member_embeddings: NDArray[np.float32]
    title_embeddings: NDArray[np.float32]
    anchors: NDArray[np.intp]
    mean_member: NDArray[np.float32]
    """The mean member vector of that night; unchanged when a member is erased later."""

    @classmethod
    def of(cls, release: releases.Release, members: Vocabulary, titles: Vocabulary) -> _Arrays:
        folder = release.path / "model"
        of_titles = features_of(release, "title")
        learned = [
            np.asarray(read_array(folder, f"{side}_embeddings"), np.float32)
            for side in ("member", "title")
        ]
        sizes = (len(members), len(learned[0])), (len(titles), len(learned[1]))
        return cls(
            titles=titles,
            names=tuple(of_titles["name"].to_pylist()),
            families=tuple(of_titles["family"].to_pylist()),
            member_matrix=read_matrix(folder, MEMBER_MATRIX, shape=sizes[0]),
            title_matrix=read_matrix(folder, TITLE_MATRIX, shape=sizes[1]),
            member_embeddings=learned[0],
            title_embeddings=learned[1],
            anchors=np.asarray(read_array(folder, "anchors"), np.intp),
            mean_member=np.asarray(read_array(folder, MEAN_MEMBER), np.float32),
        )

    def vector(self, member: int) -> NDArray[np.float32]:
        own = np.asarray(self.member_matrix[[member]] @ self.member_embeddings, np.float32)
        return np.hstack([own, np.ones((1, 1), np.float32)])

    def contributions(self, member: int, title: int) -> tuple[float, dict[str, float]]:
        vector = self.vector(member)
        parts = reasons.contributions(
            vector, np.array([title]), self.title_matrix, self.title_embeddings, self.mean_member
        )
        names = (*self.names, reason_text.SHARED)
        pairs = zip(parts.indices, parts.data, strict=True)
        score = float((vector @ (self.title_matrix[[title]] @ self.title_embeddings).T)[0, 0])
        return score, {names[column]: float(part) for column, part in pairs}

    def best(self, member: int, title: int) -> reasons.Reasons:
        """The reason in a slate of this title alone."""
        family = np.array(self.families)
        teller = reasons.ReasonFinder(
            self.title_matrix,
            self.title_embeddings,
            self.mean_member,
            usable=reason_text.has_sentence(self.families),
            identity=family == matrices.IDENTITY,
        )
        return teller.best(self.vector(member), np.array([[title]]), self.anchors[[member]])

    def because_of(self, member: int, title: int) -> list[str]:
        """The ids of the watched titles in the reason, empty for other kinds of reasons."""
        reason = self.best(member, title)
        if reason.kind[0, 0] != reasons.Kind.TITLE:
            return []
        rows = [reason.index[0, 0], *([reason.second[0, 0]] if reason.second[0, 0] >= 0 else [])]
        return [str(name) for name in self.titles.take(np.array(rows)).to_pylist()]

    def text(self, release: releases.Release, member: int, title: int) -> str | None:
        """None where nothing of the member's own speaks for the title."""
        if (self.anchors[member] == ranking.NONE).all():
            return None
        reason = self.best(member, title)
        if reason.kind[0, 0] == reasons.Kind.TITLE:
            return reason_text.watched(
                *(lookup.display_title(release, name) for name in self.because_of(member, title))
            )
        if reason.kind[0, 0] == reasons.Kind.FEATURE:
            return reason_text.feature(self.names[reason.index[0, 0]])
        return None


def _grouped(release: releases.Release, parts: dict[str, float], watched: list[str]) -> list[Row]:
    """Contributions by feature family, the largest first."""
    groups: dict[str, list[tuple[float, str]]] = {}
    for name, part in parts.items():
        family, _, value = name.partition("=")
        if family == WATCHED and value:
            value = lookup.display_title(release, value)
        groups.setdefault(family, []).append((-part, value))
    rows = [
        {
            "group": reason_text.group(family),
            "names": watched if family == matrices.IDENTITY else [v for _, v in sorted(pairs) if v],
            "contribution": -sum(part for part, _ in pairs),
        }
        for family, pairs in groups.items()
    ]
    return sorted(rows, key=lambda row: (-abs(row["contribution"]), row["group"]))
