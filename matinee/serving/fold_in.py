"""Lists of a member who did something since the release, from the release's own parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee import matrices
from matinee.columns import IS_INTERACTION, IS_SEEN
from matinee.models.candidates import PER_PART
from matinee.models.cold_titles import WithColdTitles, with_cold_titles
from matinee.models.combination import BOUNDS, Context, Scored
from matinee.models.fits import HYBRID, ITEM_KNN
from matinee.models.fold_in import folded_in
from matinee.models.history import History
from matinee.models.hybrid import HybridModel
from matinee.models.parts import ByTitles, ByVectors, ForEveryone, Part, Parts, query_of
from matinee.night.attribution import Attribution, finder_of
from matinee.night.combine import Chosen
from matinee.night.forward.released import features_of
from matinee.night.model_files import load_model, load_parts, read_matrix
from matinee.night.ranker import Lists
from matinee.night.score import TITLE_MATRIX
from matinee.recent_events import Recent
from matinee.serving.release_view import Group, ReleaseView
from matinee.slates import ranking, reason_text, reasons


@dataclass(frozen=True)
class Known:
    """What is known of one member now."""

    titles: NDArray[np.intp]
    """intp, shape (n,): titles they interacted with, each once, oldest first."""

    seen: frozenset[int]
    """Titles that are not shown again."""

    vector: NDArray[np.float32]
    """By their profile, or by the last fit."""

    group: Group
    is_active: bool
    """Whether they are in a session now."""

    @property
    def context(self) -> Context:
        return "session" if self.is_active else "next_visit"


@dataclass(frozen=True)
class Ranked:
    """A list by score, and what each part adds to the first scores."""

    titles: NDArray[np.intp]
    scores: NDArray[np.float64]
    places: NDArray[np.intp]
    """The position of each title among the candidates of `scored`."""

    parts: Parts
    scored: Scored


@dataclass
class FoldIn:
    """The parts of a release, ready for one member at a time."""

    view: ReleaseView

    @cached_property
    def model(self) -> HybridModel:
        path = self.view.release.path
        return load_model(path / "model", hyperparameters=path / "hyperparameters.json")

    @cached_property
    def title_features(self) -> matrices.Features:
        features = features_of(self.view.release, "title")
        shape = len(self.view.files.titles), len(self.model.title_embeddings)
        return matrices.Features(
            read_matrix(self.view.release.path / "model", TITLE_MATRIX, shape=shape),
            tuple(features["name"].to_pylist()),
            tuple(features["family"].to_pylist()),
        )

    @cached_property
    def chosen(self) -> Chosen:
        return Chosen.read(self.view.release.path)

    @cached_property
    def _parts(self) -> Parts:
        """Every part with the query of a member without interactions."""
        arrays = self.view.files.arrays
        n_titles = len(self.view.files.titles)
        empty = np.empty(0, np.intp)
        empty_history = History(empty, empty, empty.astype(np.int64), (1, n_titles))
        names = self.chosen.parts
        if ITEM_KNN in (self.chosen.model("next_visit"), self.chosen.model("session")):
            names = (*names, ITEM_KNN)
        is_cold = np.zeros(n_titles, np.bool_)
        is_cold[arrays["cold"]] = True
        vectors = np.zeros((1, arrays["title_vector"].shape[1]), np.float32)
        hybrid = with_cold_titles(
            (vectors, arrays["title_vector"]), self.title_features, empty_history, is_cold=is_cold
        )
        folder = self.view.release.path / "model"
        return load_parts(folder, names, empty_history, {HYBRID: hybrid})

    def profile_vector(self) -> NDArray[np.float32]:
        """The vector of a member of whom nothing is known: the mean of all members'."""
        return self._mean

    @cached_property
    def _mean(self) -> NDArray[np.float32]:
        vectors = self.view.files.arrays["vector"]
        known = np.any(vectors != 0, axis=1)
        mean: NDArray[np.float32] = vectors[known].mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    @cached_property
    def genre_shares(self) -> sp.csr_array[np.float32]:
        """The genre shares of each title, as the page knows them."""
        return sp.csr_array(self.view.titles.genre_shares)

    @cached_property
    def finder(self) -> reasons.ReasonFinder:
        """Finds reasons among the features of titles."""
        return finder_of(self.title_features, np.asarray(self.model.title_embeddings), self._mean)

    def attribution(self, known: Known, parts: Parts) -> Attribution:
        """What scores of one member are made of; the member is row 0."""
        hybrid = parts.by_name[HYBRID]
        assert isinstance(hybrid, WithColdTitles)  # noqa: S101 - by the name of the part
        newest = known.titles[::-1][: reasons.ANCHORS]
        # As many columns as a night has: a reason may name more titles than the member knows.
        sources = np.full((1, reasons.ANCHORS), ranking.NONE, np.intp)
        sources[0, : len(newest)] = newest
        return Attribution(
            parts=parts,
            sources=sources,
            titles=self.title_features,
            title_embeddings=np.asarray(self.model.title_embeddings),
            member_vectors=hybrid.warm.members,
            mean_member=self._mean,
            finder=self.finder,
        )

    def reasons(self, known: Known, ranked: Ranked, slate: NDArray[np.intp]) -> list[str]:
        """The sentence of each place of a list, which has the first titles of `ranked`."""
        if not len(known.titles):
            return [reason_text.cold_member_in(known.group.country)] * len(slate)
        place = {title: row for row, title in enumerate(ranked.titles.tolist())}
        order = np.array([ranked.places[place[title]] for title in slate.tolist()], np.intp)
        contributions = ranked.scored.contributions(order)
        lists = Lists(slate[None, :], contributions[None, :, :])
        found = self.attribution(known, ranked.parts).reasons(np.zeros(1, np.intp), lists)
        columns = (part[0].tolist() for part in (found.kind, found.index, found.second))
        return [self._sentence(known, *row) for row in zip(*columns, strict=True)]

    def _sentence(self, known: Known, kind: int, index: int, second: int) -> str:
        names = self.view.titles.names
        if kind == reasons.Kind.TITLE:
            return reason_text.watched(*(names[one] for one in (index, second) if one >= 0))
        if kind == reasons.Kind.FEATURE:
            text = reason_text.feature(self.title_features.names[index])
            return text or reason_text.GENERAL
        if kind == reasons.Kind.NEW:
            return reason_text.NEW
        if kind == reasons.Kind.POPULAR:
            return reason_text.popular_in(known.group.country)
        return reason_text.GENERAL

    def known(self, row: int, events: Sequence[Recent], *, group: Group, is_active: bool) -> Known:
        """What is known of a member by the release and by the events since.

        Parameters
        ----------
        row : int
            Of the member in the release, or -1.
        """
        titles: dict[int, None] = {}
        seen: set[int] = set()
        vector = self.profile_vector()
        if row >= 0:
            history = self.view.history(row)
            flags = history["flags"]
            interacted = history["title"][(flags & IS_INTERACTION) > 0].tolist()
            titles = dict.fromkeys(interacted)
            seen = set(history["title"][(flags & IS_SEEN) > 0].tolist())
            own = np.asarray(self.view.files.arrays["vector"][row])
            vector = own if own.any() else vector
        for event in events:
            number = self.view.title_numbers.get(event.title_id or "", -1)
            if number < 0:
                continue
            if event.flags & IS_SEEN:
                seen.add(number)
            if event.flags & IS_INTERACTION:
                titles.pop(number, None)  # the last time counts
                titles[number] = None
            elif event.flags & IS_SEEN:
                titles.pop(number, None)  # disliked
        order = np.fromiter(titles, np.intp, len(titles))
        return Known(order, frozenset(seen), vector, group, is_active)

    def parts_of(self, known: Known) -> Parts:
        """The parts for one member: row 0."""
        n_titles = len(self.view.files.titles)
        count = len(known.titles)
        history = History(np.zeros(count, np.intp), known.titles, np.arange(count), (1, n_titles))
        by_name: dict[str, Part] = {}
        for name, part in self._parts.by_name.items():
            if isinstance(part, ByTitles):
                by_name[name] = ByTitles(part.weights, query_of(name, history))
            elif isinstance(part, WithColdTitles):
                title_vectors = part.warm.titles
                moved = folded_in(known.vector, title_vectors, known.titles)
                warm = ByVectors(moved[None, :], title_vectors)
                by_name[name] = replace(part, warm=warm, queries=history.matrix())
            elif isinstance(part, ForEveryone) and not count and name in self._popularity:
                scores = self.view.popularity(known.group, name)
                by_name[name] = ForEveryone(np.asarray(scores, np.float32))
            else:
                by_name[name] = part
        return Parts(by_name, history)

    @property
    def _popularity(self) -> list[str]:
        names: list[str] = self.view.files.contents["popularity"]
        return names

    def ranked(
        self, known: Known, allowed: NDArray[np.bool_], count: int, *, also: int | None = None
    ) -> Ranked:
        """The best titles of a member; `also` is scored in any case."""
        parts = self.parts_of(known)
        seen = np.array(sorted(known.seen), np.intp)
        excluded = sp.csr_array(
            (np.ones(len(seen), np.bool_), seen, np.array([0, len(seen)])), shape=(1, len(allowed))
        )
        scored = self.chosen.combination(parts.names).score(
            parts,
            np.zeros(1, np.intp),
            context=known.context,
            excluded=excluded,
            allowed=allowed,
            cohort=np.array([cohort(len(known.titles))]),
            also=None if also is None else np.array([also]),
            at_least=PER_PART,
        )
        titles, places = scored.best(count)
        filled = places[0] >= 0
        order = places[0][filled]
        return Ranked(titles[0][filled], scored.scores[order], order, parts, scored)


def cohort(length: int) -> int:
    """The cohort of a member who just acted, by the length of their history."""
    of_length = int(np.searchsorted(BOUNDS, length, side="right"))
    return 0 if length == 0 else 2 * of_length - 1
