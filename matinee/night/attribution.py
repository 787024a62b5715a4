"""What a score is made of: the contributions of parts, split over titles and features.

A score is a sum over parts. Within a part the split is proportional: a linear part's contribution
goes to the watched titles that add to its raw score, the hybrid's to the features that do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.columns import MEMBER_ID, TITLE_ID
from matinee.matrices import IDENTITY, Features
from matinee.models.fits import HYBRID
from matinee.models.parts import NEW_TITLES, ByTitles, Parts
from matinee.models.title_weights import entries
from matinee.night.model_files import LINEAR
from matinee.night.ranker import Lists
from matinee.slates import ranking, reason_text, reasons
from matinee.vocabulary import Vocabulary

SCHEMA = pa.schema(
    [
        pa.field(MEMBER_ID, pa.string(), nullable=False),
        pa.field(TITLE_ID, pa.string(), nullable=False),
        pa.field("feature", pa.string(), nullable=False),
        pa.field("contribution", pa.float32(), nullable=False),
    ]
)
"""Summed over the features of a member's title, contributions are the score in the slate."""

WATCHED, POPULARITY = "watched", "popularity"
"""Feature families of contributions, beside those of titles."""

NAMED = 5
"""The most watched titles that a contribution names one by one; the rest is one sum."""

_WATCHED, _HYBRID, _POPULAR, _NEW = range(4)


def last_titles(
    parts: Parts, nameable: sp.csr_array[np.bool_], count: int = reasons.ANCHORS
) -> NDArray[np.intp]:
    """Each member's last titles that reasons may name, newest first, padded with -1.

    Parameters
    ----------
    nameable : bool CSR, shape (n_members, n_titles)
        Titles that were watched and liked: no searches, and none with a low rating.

    Returns
    -------
    intp, shape (n_members, count)
    """
    history = parts.history
    named = entries(nameable.astype(np.float32), history.members, history.titles) > 0
    members, titles = history.members[named], history.titles[named]
    order = np.lexsort((-np.arange(len(members)), members))
    starts = np.searchsorted(members[order], np.arange(history.shape[0]))
    place = np.arange(len(order)) - starts[members[order]]
    last = np.full((history.shape[0], count), ranking.NONE, np.intp)
    kept = place < count
    last[members[order][kept], place[kept]] = titles[order][kept]
    return last


def finder_of(
    titles: Features, title_embeddings: NDArray[np.float32], mean_member: NDArray[np.float32]
) -> reasons.ReasonFinder:
    """Finds reasons among the features of titles."""
    return reasons.ReasonFinder(
        titles.matrix,
        title_embeddings,
        mean_member,
        usable=reason_text.has_sentence(titles.families),
        identity=titles.columns_of(IDENTITY),
    )


@dataclass(frozen=True)
class Attribution:
    """Fitted parts, and the titles by which they are explained."""

    parts: Parts
    sources: NDArray[np.intp]
    """intp, shape (n_members, n): watched titles that may be named, padded with -1."""

    titles: Features
    title_embeddings: NDArray[np.float32]
    member_vectors: NDArray[np.float32]
    mean_member: NDArray[np.float32]
    """As `reasons.mean_member` returns it."""

    finder: reasons.ReasonFinder
    """As `finder_of` makes it."""

    @cached_property
    def linear(self) -> list[int]:
        """Positions of the parts that are linear models of titles."""
        return [place for place, name in enumerate(self.parts.names) if name in LINEAR]

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The kind of reason that each part gives: intp, shape (n_parts,)."""
        kinds = {HYBRID: _HYBRID, NEW_TITLES: _NEW, **dict.fromkeys(LINEAR, _WATCHED)}
        return np.array([kinds.get(name, _POPULAR) for name in self.parts.names], np.intp)

    def reasons(self, rows: NDArray[np.intp], lists: Lists) -> reasons.Reasons:
        """One reason for each place: of the parts that add most to the score.

        Parts of one kind count together; a kind whose sum is not positive is never a reason.

        Parameters
        ----------
        rows : intp, shape (n_members,)
            Member rows, all with interactions.
        """
        sums = [lists.contributions[:, :, self.groups == kind].sum(axis=2) for kind in range(4)]
        strength = np.maximum(np.stack(sums, axis=2), 0.0)
        found = self.finder.best(self.member_vectors[rows], lists.rows, self.sources[rows])
        strength[:, :, _HYBRID][found.kind == reasons.Kind.NONE] = 0.0
        by_title = self._by_title(rows, lists, strength.argmax(axis=2) == _WATCHED)
        strength[:, :, _WATCHED][by_title[0] < 0] = 0.0
        best = strength.argmax(axis=2)
        named = (strength.max(axis=2) > 0) & (lists.rows != ranking.NONE)
        kinds = np.array(
            [reasons.Kind.TITLE, reasons.Kind.NONE, reasons.Kind.POPULAR, reasons.Kind.NEW]
        )
        is_watched, is_hybrid = named & (best == _WATCHED), named & (best == _HYBRID)
        kind = np.where(is_hybrid, found.kind, np.where(named, kinds[best], reasons.Kind.NONE))
        first, second = (
            np.where(is_watched, title, np.where(is_hybrid, feature, -1))
            for title, feature in zip(by_title, (found.index, found.second), strict=True)
        )
        amount = np.where(named, strength.max(axis=2), 0.0).astype(np.float32)
        return reasons.Reasons(kind.astype(np.int8), first, second, amount)

    def _by_title(
        self, rows: NDArray[np.intp], lists: Lists, wanted: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The watched titles that add most at some places, by the largest linear part of each."""
        shape = (*lists.rows.shape, reasons.CANDIDATES)
        keys, adds = np.full(shape, -1, np.intp), np.zeros(shape, np.float32)
        if not self.linear:
            return keys[:, :, 0], keys[:, :, 0]
        largest = np.array(self.linear)[lists.contributions[:, :, self.linear].argmax(axis=2)]
        wanted = wanted & (lists.rows != ranking.NONE)
        for part in self.linear:
            member, place = np.nonzero(wanted & (largest == part))
            sources = self.sources[rows[member]]
            added = self._added(part, rows[member], sources, lists.rows[member, place])
            best, amount = reasons.largest(added.astype(np.float32))
            keys[member, place] = np.take_along_axis(sources, best, 1)
            adds[member, place] = np.maximum(amount, 0.0)
        first, second, _ = reasons.varied(keys, adds, 0)
        return first, second

    def _added(
        self,
        part: int,
        rows: NDArray[np.intp],
        sources: NDArray[np.intp],
        targets: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        """What each source adds to a linear part's raw score of one target a row.

        `sources` has shape (n, n_sources), padded with -1; so has the result.
        """
        model = list(self.parts.by_name.values())[part]
        assert isinstance(model, ByTitles)  # noqa: S101 - by the name of the part
        added = np.zeros(sources.shape)
        pair, place = np.nonzero(sources >= 0)
        known = sources[pair, place]
        query = model.queries[rows]
        added[pair, place] = entries(query, pair, known) * model.weights.pairs(known, targets[pair])
        return added

    def watched(
        self, rows: NDArray[np.intp], titles: NDArray[np.intp], contributions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The linear parts' contributions, split over the member's titles.

        Parameters
        ----------
        rows, titles : intp, shape (n,)
        contributions : float64, shape (n, n_parts)

        Returns
        -------
        of_sources : float64, shape (n, n_sources)
        rest : float64, shape (n,)
            What no source adds to: the contribution of a low score.
        """
        sources = self.sources[rows]
        of_sources, rest = np.zeros(sources.shape), np.zeros(len(rows))
        for part in self.linear:
            added = np.maximum(self._added(part, rows, sources, titles), 0.0)
            total = added.sum(axis=1)
            share = np.divide(
                contributions[:, part], total, out=np.zeros_like(total), where=total > 0
            )
            of_sources += added * share[:, None]
            rest += np.where(total > 0, 0.0, contributions[:, part])
        return of_sources, rest

    def features(
        self, rows: NDArray[np.intp], titles: NDArray[np.intp], contributions: NDArray[np.float64]
    ) -> sp.csr_array[np.float64]:
        """The hybrid's contributions, split over the features that raise its raw score.

        Returns
        -------
        float64 CSR, shape (n, n_features + 1); the last column is what all members share.
        """
        raw = reasons.contributions(
            self.member_vectors[rows],
            titles,
            self.titles.matrix,
            self.title_embeddings,
            self.mean_member,
        )
        positive = np.maximum(raw.data.astype(np.float64), 0.0)
        row = np.repeat(np.arange(len(rows)), np.diff(raw.indptr))
        total = np.bincount(row, positive, minlength=len(rows))
        last = raw.indices == len(self.titles.names)
        positive[last & (total[row] == 0)] = 1.0
        total[total == 0] = 1.0
        own = contributions[:, self.parts.names.index(HYBRID)]
        return sp.csr_array(
            (positive * (own / total)[row], raw.indices, raw.indptr), shape=raw.shape
        )

    def rows_of(
        self,
        rows: NDArray[np.intp],
        titles: NDArray[np.intp],
        contributions: NDArray[np.float64],
        *,
        title_ids: Vocabulary,
        most_named: int = NAMED,
    ) -> tuple[NDArray[np.intp], pa.Array, NDArray[np.float64]]:
        """Every contribution of some pairs of member and title; a pair's add up to its score.

        Parameters
        ----------
        rows, titles : intp, shape (n,)
        contributions : float64, shape (n, n_parts)

        Returns
        -------
        pair : intp, shape (n_rows,)
            Ascending.
        feature : strings, shape (n_rows,)
            `popularity=16000`, `watched=<title_id>`, `genre=Drama`.
        contribution : float64, shape (n_rows,)
        """
        pairs: list[NDArray[np.intp]] = []
        names: list[pa.Array] = []
        amounts: list[NDArray[np.float64]] = []

        def add(pair: NDArray[np.intp], name: pa.Array, amount: NDArray[np.float64]) -> None:
            kept = amount != 0
            pairs.append(pair[kept])
            names.append(name.filter(pa.array(kept)))
            amounts.append(amount[kept])

        every = np.arange(len(rows))
        for column, part in enumerate(self.parts.names):
            if self.groups[column] in (_POPULAR, _NEW):
                add(every, pa.array([_feature(part)] * len(rows)), contributions[:, column])
        of_sources, rest = self.watched(rows, titles, contributions)
        count = min(most_named, of_sources.shape[1])
        order = np.argsort(-np.abs(of_sources), axis=1, kind="stable")[:, :count]
        named = np.take_along_axis(of_sources, order, 1)
        pair = np.repeat(every, count)
        sources = np.take_along_axis(self.sources[rows], order, 1).ravel()
        ids = title_ids.take(np.maximum(sources, 0))
        prefixed = pa.array([f"{WATCHED}={name}" for name in ids.to_pylist()], pa.string())
        add(pair, prefixed, named.ravel())
        np.put_along_axis(of_sources, order, 0.0, axis=1)
        rest += of_sources.sum(axis=1)
        add(every, pa.array([WATCHED] * len(rows), pa.string()), rest)
        split = self.features(rows, titles, contributions)
        labels = pa.array([*self.titles.names, reason_text.SHARED])
        add(
            np.repeat(every, np.diff(split.indptr)),
            labels.take(pa.array(split.indices)),
            split.data,
        )
        pair = np.concatenate(pairs)
        by_pair = np.argsort(pair, kind="stable")
        feature = pa.concat_arrays([name.cast(pa.string()) for name in names])
        return pair[by_pair], feature.take(pa.array(by_pair)), np.concatenate(amounts)[by_pair]


def _feature(part: str) -> str:
    """A part as a feature of a contribution.

    >>> _feature("popularity-16000"), _feature("popularity"), _feature("new_titles")
    ('popularity=16000', 'popularity=all', 'new_titles')
    """
    if part == POPULARITY:
        return f"{POPULARITY}=all"
    return part.replace("-", "=") if part.startswith(POPULARITY) else part
