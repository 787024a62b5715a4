"""Explains a score: exact contributions of features, from the arrays of a release alone."""

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
    MEAN_MEMBER,
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

NO_OWN_REASON = "No interaction or preference of the member supports it"

ABSOLUTE, RELATIVE = 1e-5, 1e-6
"""Absolute and relative tolerance between the sum of contributions and the score: both are sums of
32-bit numbers, in different orders."""


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
    arrays = _ReleaseArrays.of(opened)
    row = int(arrays.members.rows([member])[0])
    if row < 0:
        raise ConfigError(
            f"release {opened.id} has no scores for member {member!r}: unknown, or without consent "
            "to personalisation; a popularity slate has no personal reasons"
        )
    column = int(arrays.titles.rows([title_id])[0])
    score, parts = arrays.contributions(row, column)
    slate = opened.slate(member)
    index = pc.index(slate[TITLE_ID], title_id).as_py()
    slate_row = slate.slice(index, 1).to_pylist()[0] if index >= 0 else {}
    if not np.isclose(sum(parts.values()), score, rtol=RELATIVE, atol=ABSOLUTE):
        raise DataError(
            f"contributions for {member} and {title_id} sum to {sum(parts.values())}, the score is "
            f"{score}: the arrays of release {opened.id} are inconsistent"
        )
    watched = [lookup.display_title(opened, name) for name in arrays.because_of(row, column)]
    by_size = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    return Explanation(
        member_id=member,
        title=lookup.display_title(opened, title_id),
        score=score,
        rank=slate_row.get(RANK),
        slate_source=slate_row.get(SOURCE),
        words=str(slate_row.get(REASON) or arrays.words(opened, row, column) or NO_OWN_REASON),
        groups=_grouped(parts, watched),
        features=[{"feature": name, "contribution": part} for name, part in by_size],
    )


@dataclass(frozen=True)
class _ReleaseArrays:
    """The arrays of a release that give its scores."""

    members: Vocabulary
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
    def of(cls, release: releases.Release) -> _ReleaseArrays:
        folder: Path = release.path / "model"
        members = Vocabulary.from_ids(release.table("vocabulary/members.parquet")[MEMBER_ID])
        titles = Vocabulary.from_ids(release.titles()[TITLE_ID])
        title_features = release.table("vocabulary/title_features.parquet")
        embeddings = [
            np.asarray(read_array(folder, f"{side}_embeddings"), np.float32)
            for side in ("member", "title")
        ]
        sizes = (len(members), len(embeddings[0])), (len(titles), len(embeddings[1]))
        return cls(
            members=members,
            titles=titles,
            names=tuple(title_features["name"].to_pylist()),
            families=tuple(title_features["family"].to_pylist()),
            member_matrix=read_matrix(folder, MEMBER_MATRIX, shape=sizes[0]),
            title_matrix=read_matrix(folder, TITLE_MATRIX, shape=sizes[1]),
            member_embeddings=embeddings[0],
            title_embeddings=embeddings[1],
            anchors=np.asarray(read_array(folder, ANCHORS), np.intp),
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

    def words(self, release: releases.Release, member: int, title: int) -> str | None:
        """The reason text; None if no contribution of the member supports the title."""
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


def _grouped(parts: dict[str, float], watched: list[str]) -> list[Row]:
    """Contributions by feature family, largest first."""
    groups: dict[str, list[tuple[float, str]]] = {}
    for name, part in parts.items():
        family, _, value = name.partition("=")
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
