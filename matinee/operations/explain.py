"""Why a title has its score for a member: the exact sum, from the arrays of a release alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from matinee import matrices, releases
from matinee.columns import MEMBER_ID, RANK, REASON, SOURCE, TITLE_ID
from matinee.errors import ConfigError, DataError
from matinee.night.contributions import (
    ANCHORS,
    EVERYBODY,
    MEMBER_MATRIX,
    TITLE_MATRIX,
    read_array,
    read_matrix,
)
from matinee.releases import lookup
from matinee.rights import consent
from matinee.settings import Settings
from matinee.slates import ranking, reason_text, reasons
from matinee.vocabulary import Vocabulary

Row = dict[str, Any]

NOTHING_OWN = "Nothing of the member's own speaks for it"

CLOSE, ROUNDED = 1e-5, 1e-6
"""How far a sum of contributions may be from its score, and from a large one as a part of it: both
are sums of 32-bit numbers in an order of their own."""


@dataclass(frozen=True)
class Explanation:
    """One score and what it is made of."""

    member_id: str
    title: str
    score: float
    rank: int | None
    """The place in the member's slate, if the title is in it."""
    slate_source: str | None
    words: str
    """The reason that the slate gives, which says the same thing not too often; of a title that is
    not in the slate the strongest."""
    groups: list[Row]
    """group, names (what helps most first), contribution; by size. They add up to the score."""
    features: list[Row]
    """feature, contribution: the same, not grouped."""


def explain(settings: Settings, member: str, title: str, *, release: str) -> Explanation:
    """The contributions to the score of any title for any personalised member.

    Raises
    ------
    ConfigError
        If the release has no such title, or does not know the member: those without consent to
        personalisation have no score, and who withdraws it has none from then on.
    """
    if not consent.may_personalise(settings, member):
        raise ConfigError(
            f"member {member!r} refused personalisation: nothing of theirs is used any more, and "
            "the list for all has no personal reasons"
        )
    opened = releases.Store.of(settings.home).open(release)
    title_id = lookup.title_id(opened, title)
    told = _Arrays.of(opened)
    row = int(told.members.rows([member])[0])
    if row < 0:
        raise ConfigError(
            f"release {opened.id} has no scores for member {member!r}: unknown, or without consent "
            "to personalisation; a slate of what is popular has no personal reasons"
        )
    column = int(told.titles.rows([title_id])[0])
    score, parts = told.contributions(row, column)
    slate = opened.slate(member)
    place = pc.index(slate[TITLE_ID], title_id).as_py()
    shown = slate.slice(place, 1).to_pylist()[0] if place >= 0 else {}
    if not np.isclose(sum(parts.values()), score, rtol=ROUNDED, atol=CLOSE):
        raise DataError(
            f"contributions to {member} and {title_id} add up to {sum(parts.values())}, "
            f"the score is {score}: the arrays of release {opened.id} do not belong together"
        )
    named = [lookup.titled(opened, name) for name in told.because_of(row, column)]
    by_size = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    return Explanation(
        member_id=member,
        title=lookup.titled(opened, title_id),
        score=score,
        rank=shown.get(RANK),
        slate_source=shown.get(SOURCE),
        words=str(shown.get(REASON) or told.words(opened, row, column) or NOTHING_OWN),
        groups=_grouped(parts, named),
        features=[{"feature": name, "contribution": part} for name, part in by_size],
    )


@dataclass(frozen=True)
class _Arrays:
    """What a release knows about scores."""

    members: Vocabulary
    titles: Vocabulary
    names: tuple[str, ...]
    families: tuple[str, ...]
    member_matrix: Any
    title_matrix: Any
    member_embeddings: NDArray[np.float32]
    title_embeddings: NDArray[np.float32]
    anchors: NDArray[np.intp]
    everybody: NDArray[np.float32]
    """As it was that night: it stays when a member is erased from the release."""

    @classmethod
    def of(cls, release: releases.Release) -> _Arrays:
        folder: Path = release.path / "model"
        members = Vocabulary.from_ids(release.table("vocabulary/members.parquet")[MEMBER_ID])
        titles = Vocabulary.from_ids(release.titles()[TITLE_ID])
        of_titles = release.table("vocabulary/title_features.parquet")
        learned = [
            np.asarray(read_array(folder, f"{side}_embeddings"), np.float32)
            for side in ("member", "title")
        ]
        sizes = (len(members), len(learned[0])), (len(titles), len(learned[1]))
        return cls(
            members=members,
            titles=titles,
            names=tuple(of_titles["name"].to_pylist()),
            families=tuple(of_titles["family"].to_pylist()),
            member_matrix=read_matrix(folder, MEMBER_MATRIX, shape=sizes[0]),
            title_matrix=read_matrix(folder, TITLE_MATRIX, shape=sizes[1]),
            member_embeddings=learned[0],
            title_embeddings=learned[1],
            anchors=np.asarray(read_array(folder, ANCHORS), np.intp),
            everybody=np.asarray(read_array(folder, EVERYBODY), np.float32),
        )

    def vector(self, member: int) -> NDArray[np.float32]:
        own = np.asarray(self.member_matrix[[member]] @ self.member_embeddings, np.float32)
        return np.hstack([own, np.ones((1, 1), np.float32)])

    def contributions(self, member: int, title: int) -> tuple[float, dict[str, float]]:
        vector = self.vector(member)
        parts = reasons.contributions(
            vector, np.array([title]), self.title_matrix, self.title_embeddings, self.everybody
        )
        names = (*self.names, reason_text.SHARED)
        told = zip(parts.indices, parts.data, strict=True)
        score = float((vector @ (self.title_matrix[[title]] @ self.title_embeddings).T)[0, 0])
        return score, {names[column]: float(part) for column, part in told}

    def best(self, member: int, title: int) -> reasons.Reasons:
        """The reason that a slate of this title alone would give."""
        family = np.array(self.families)
        teller = reasons.ReasonFinder(
            self.title_matrix,
            self.title_embeddings,
            self.everybody,
            usable=reason_text.has_sentence(self.families),
            identity=family == matrices.IDENTITY,
        )
        return teller.best(self.vector(member), np.array([[title]]), self.anchors[[member]])

    def because_of(self, member: int, title: int) -> list[str]:
        """The ids of the watched titles that the title's own part is put down to."""
        told = self.best(member, title)
        if told.kind[0, 0] != reasons.Kind.TITLE:
            return []
        rows = [told.index[0, 0], *([told.second[0, 0]] if told.second[0, 0] >= 0 else [])]
        return [str(name) for name in self.titles.take(np.array(rows)).to_pylist()]

    def words(self, release: releases.Release, member: int, title: int) -> str | None:
        """None where nothing of the member's own speaks for the title."""
        if (self.anchors[member] == ranking.NONE).all():
            return None
        told = self.best(member, title)
        if told.kind[0, 0] == reasons.Kind.TITLE:
            return reason_text.watched(
                *(lookup.titled(release, name) for name in self.because_of(member, title))
            )
        if told.kind[0, 0] == reasons.Kind.FEATURE:
            return reason_text.feature(self.names[told.index[0, 0]])
        return None


def _grouped(parts: dict[str, float], watched: list[str]) -> list[Row]:
    """Contributions by feature family, the largest first."""
    groups: dict[str, list[tuple[float, str]]] = {}
    for name, part in parts.items():
        family, _, value = name.partition("=")
        groups.setdefault(family, []).append((-part, value))
    rows = [
        {
            "group": reason_text.group(family),
            "names": watched if family == matrices.IDENTITY else [v for _, v in sorted(found) if v],
            "contribution": -sum(part for part, _ in found),
        }
        for family, found in groups.items()
    ]
    return sorted(rows, key=lambda row: (-abs(row["contribution"]), row["group"]))
