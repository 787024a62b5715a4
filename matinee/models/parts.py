"""The parts of a combination: cheap models that each give every title a score for a member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from matinee.models import linear
from matinee.models.history import History
from matinee.models.popularity_parts import popularity_in_interactions
from matinee.models.title_weights import TitleWeights, product

Rows = NDArray[np.intp]

NEW_TITLES = "new_titles"
"""The part of the demand that each new title is expected to get."""


class Part(Protocol):
    """One model's scores."""

    @property
    def needs_history(self) -> bool:
        """Whether it says nothing of a member without interactions."""

    @property
    def same_for_all(self) -> bool:
        """Whether every member gets the same scores, so that they are sorted once."""

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        """float32, shape (len(rows), n_titles), comparable within a row only."""


@dataclass(frozen=True)
class ForEveryone:
    """The same scores for every member: popularity, or the demand for new titles."""

    values: NDArray[np.float32]
    """float32, shape (n_titles,)."""

    needs_history: bool = False
    same_for_all: bool = True

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        return np.broadcast_to(self.values, (len(rows), len(self.values)))


@dataclass(frozen=True)
class ByTitles:
    """A linear model of title on title with each member's query."""

    weights: TitleWeights
    queries: sp.csr_array[np.float32]
    """Shape (n_members, n_titles)."""

    needs_history: bool = True
    same_for_all: bool = False

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        return self.weights.scores(self.queries[rows])

    def added_by(self, row: int, targets: Rows) -> tuple[Rows, NDArray[np.float64]]:
        """The member's titles, and what each adds to the raw score of each target.

        Returns
        -------
        sources : intp, shape (n_watched,)
        added : float64, shape (n_watched, n_targets); columns sum to the raw scores
        """
        query = self.queries[[row]]
        sources = query.indices.astype(np.intp)
        return sources, query.data[:, None] * self.weights.between(sources, targets)


@dataclass(frozen=True)
class ByVectors:
    """Dot products: the LightFM hybrid, ALS. A bias is one more dimension, against a 1."""

    members: NDArray[np.float32]
    """float32, shape (n_members, n_dimensions)."""

    titles: NDArray[np.float32]
    """float32, shape (n_titles, n_dimensions)."""

    needs_history: bool = True
    same_for_all: bool = False

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        return product(self.members[rows], np.ascontiguousarray(self.titles.T))


@dataclass(frozen=True)
class Settings:
    """All that decides the parts besides their data."""

    half_lives: tuple[float, ...] = (1_000.0, 16_000.0, float("inf"))
    """Of the popularity parts, in interactions."""

    half_life_titles: float = 5.0
    """Of the fading query of EASE and RP3beta: a title so many titles ago counts half."""

    half_life_successors: float = 2.0
    """Of the query of the successors."""

    alpha: float = 0.8
    beta: float = 0.45
    """Of RP3beta."""

    penalty: float = 400.0
    """The ridge of EASE."""

    largest_side: int = 2_000
    """Where both sides are larger, EASE takes its low-rank form."""

    dimensions: int = 512
    """Of the low-rank form."""


@dataclass(frozen=True)
class Parts:
    """Fitted parts by name, and what they were fitted on."""

    by_name: Mapping[str, Part]
    history: History

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.by_name)


def query_of(
    name: str, history: History, settings: Settings | None = None
) -> sp.csr_array[np.float32]:
    """The query of each member that a part of titles gets: float32 CSR, by the part's name."""
    settings = settings or Settings()
    if name == "successors":
        return history.fading(half_life_titles=settings.half_life_successors)
    if name.endswith("-recent"):
        return history.fading(half_life_titles=settings.half_life_titles)
    return history.matrix()


def fit_parts(
    history: History,
    *,
    settings: Settings | None = None,
    others: Mapping[str, Part] | None = None,
    new_titles: NDArray[np.float32] | None = None,
) -> Parts:
    """Popularity at several half-lives, EASE and RP3beta with two queries each, and others.

    Parameters
    ----------
    history : History
        What may be learned from. Every interaction counts alike.
    others : name to Part, optional
        Fitted on the same history by their owners: `hybrid`.
    new_titles : float32, shape (n_titles,), optional
        The part `new_titles`, as `new_titles.expected_demand` gives it.

    Returns
    -------
    Parts
        Names: `popularity-1000`, `popularity-16000`, `popularity`, `rp3beta`, `rp3beta-recent`,
        `ease`, `ease-recent`, `successors`, `others`, and `new_titles`.
    """
    settings = settings or Settings()
    matrix = history.matrix()
    fading = history.fading(half_life_titles=settings.half_life_titles)
    parts: dict[str, Part] = {}
    for half_life in settings.half_lives:
        counts, _ = popularity_in_interactions(history, half_life=half_life)
        name = "popularity" if np.isinf(half_life) else f"popularity-{half_life:.0f}"
        parts[name] = ForEveryone(counts.astype(np.float32))
    walks = linear.rp3beta(matrix, alpha=settings.alpha, beta=settings.beta)
    if linear.smaller_side(matrix) > settings.largest_side:
        ridge = linear.low_rank_ease(
            matrix, penalty=settings.penalty, dimensions=settings.dimensions
        )
    else:
        ridge = linear.ease(matrix, penalty=settings.penalty)
    for name, weights in (("rp3beta", walks), ("ease", ridge)):
        parts[name] = ByTitles(weights, matrix)
        parts[f"{name}-recent"] = ByTitles(weights, fading)
    parts["successors"] = ByTitles(
        linear.successors(history),
        history.fading(half_life_titles=settings.half_life_successors),
    )
    parts |= others or {}
    if new_titles is not None:
        parts[NEW_TITLES] = ForEveryone(new_titles)
    return Parts(parts, history)
