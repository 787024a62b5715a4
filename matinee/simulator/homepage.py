"""The homepage of the simulated service: a stochastic policy whose propensities are exact.

Each visit shows three shelves of three titles. Slots are filled in reading order; each draws one
title from the shelf's distribution (mostly its popular titles, with exploration of all titles),
without titles that are on the page already. `slot_propensity` is the probability of that draw given
the page so far. The artwork of a title is usually its first variant, sometimes another one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matinee.simulator import world
from matinee.simulator.catalogue import VARIANTS, Bools, Catalogue, Ints

POLICY_ID = "house-1"
EXPERIMENT_ID = "new-shelf-first"
ARMS = ("control", "treatment")

SHELVES, COLUMNS = 3, 3
SLOTS = SHELVES * COLUMNS
EXPLORATION = 0.1  # of slots are drawn uniformly from all eligible titles
ARTWORK_EXPLORATION = 0.3
ARTWORK_PROPENSITY = np.array(
    [1 - ARTWORK_EXPLORATION + ARTWORK_EXPLORATION / VARIANTS]
    + [ARTWORK_EXPLORATION / VARIANTS] * (VARIANTS - 1)
)

POPULAR, NEW, GENRE = 0, 1, 2  # shelf kinds; the shelf of a genre is GENRE + its index
ROW_KINDS = ("popular", "new", *(f"genre:{name}" for name in world.GENRES))
NEW_FOR_DAYS = 30

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pages:
    """The pages of n visits; -1 marks a slot without an eligible title."""

    titles: Ints
    """(n, SLOTS)"""
    propensity: Doubles
    is_exploration: Bools
    kinds: Ints
    """(n, SHELVES) rows of ROW_KINDS."""
    artwork: Ints
    """(n, SLOTS) the artwork variant."""


def shelf_weights(catalogue: Catalogue, day: int, kind: int) -> Doubles:
    """(T,) weight of each title on a shelf, before eligibility."""
    age = np.maximum(day - catalogue.added, 0)
    popular: Doubles = catalogue.popularity * (1 + 5 * np.exp(-age / 6))
    if kind == POPULAR:
        return popular
    chosen = (catalogue.added >= 0) & (age < NEW_FOR_DAYS) if kind == NEW else None
    chosen = catalogue.genres[:, kind - GENRE] if chosen is None else chosen
    # A shelf without enough titles continues with popular titles.
    weights: Doubles = popular * np.where(chosen, 1.0, 0.01)
    return weights


def distributions(weights: Doubles, eligible: Bools) -> Doubles:
    """(segments, T) probability of each title on an empty page; rows sum to one."""
    mass = weights * eligible
    uniform = eligible / np.maximum(eligible.sum(axis=1, keepdims=True), 1)
    best = mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-300)
    mixed: Doubles = (1 - EXPLORATION) * best + EXPLORATION * uniform
    return mixed


def choose_shelves(genre: Ints, is_treated: Bools) -> Ints:
    """(n, SHELVES) shelf kinds: the experiment moves new titles to the top shelf."""
    shelf = GENRE + genre
    popular, new = np.full_like(shelf, POPULAR), np.full_like(shelf, NEW)
    control = np.stack([popular, shelf, new], axis=1)
    treated = np.stack([new, popular, shelf], axis=1)
    return np.where(is_treated[:, None], treated, control)


@dataclass(frozen=True)
class TitleSampler:
    """Samples titles of a shelf without replacement, by segment."""

    probabilities: Doubles
    """(segments, T), rows sum to one."""
    cumulative: Doubles
    offset_cumulative: Doubles
    """`cumulative` flattened, with row i in the interval [i, i + 1]."""

    @classmethod
    def from_probabilities(cls, probabilities: Doubles) -> "TitleSampler":
        cumulative = np.cumsum(probabilities, axis=1)
        cumulative /= np.maximum(cumulative[:, -1:], 1e-300)  # exactly one at the end
        offset_cumulative = (cumulative + np.arange(len(probabilities))[:, None]).ravel()
        return cls(probabilities, cumulative, offset_cumulative)

    def draw(self, segment: Ints, placed: Ints, uniform: Doubles) -> tuple[Ints, Doubles]:
        """One title per visit (n,), none of `placed` (n, k), and its conditional probability.

        Inverts the cumulative distribution without the placed titles: the uniform number is scaled
        to the remaining mass, then shifted past each placed title before it. The title is -1 where
        no title is left.
        """
        is_placed = placed >= 0
        titles = self.probabilities.shape[1]
        order = np.argsort(np.where(is_placed, placed, titles), axis=1, kind="stable")
        cut = np.take_along_axis(placed, order, axis=1)
        mass = np.where(cut >= 0, self.probabilities[segment[:, None], cut], 0.0)
        left = 1.0 - mass.sum(axis=1)
        target = uniform * left
        for k in range(placed.shape[1]):
            start = self.cumulative[segment, cut[:, k]] - mass[:, k]
            target = target + np.where((cut[:, k] >= 0) & (target >= start), mass[:, k], 0.0)
        index = np.searchsorted(self.offset_cumulative, target + segment, side="right")
        title = np.clip(index - segment * titles, 0, titles - 1)
        probability = self.probabilities[segment, title] / np.maximum(left, 1e-300)
        # Rounding may give a placed title: leave the slot empty, since its propensity is not exact.
        is_repeated = ((title[:, None] == placed) & is_placed).any(axis=1)
        is_drawn = (left > 1e-9) & (probability > 0) & ~is_repeated
        return np.where(is_drawn, title, -1), np.where(is_drawn, probability, 1.0)


def render(
    catalogue: Catalogue, day: int, segment: Ints, shelves: Ints, rng: np.random.Generator
) -> Pages:
    """Fill the pages of n visits by members of `segment` = country x age limit (n,)."""
    n = len(segment)
    eligible = catalogue.eligible(day).reshape(-1, len(catalogue))
    titles = np.full((n, SLOTS), -1)
    propensity = np.ones((n, SLOTS))
    is_exploration = np.zeros((n, SLOTS), bool)
    uniforms = rng.random((n, SLOTS))
    explores = rng.random((n, SLOTS))
    uniform = 1.0 / np.maximum(eligible.sum(axis=1), 1)
    for shelf in range(SHELVES):
        for kind in np.unique(shelves[:, shelf]):
            rows = np.flatnonzero(shelves[:, shelf] == kind)
            here, segments = np.unique(segment[rows], return_inverse=True)
            weights = shelf_weights(catalogue, day, int(kind))
            sampler = TitleSampler.from_probabilities(distributions(weights, eligible[here]))
            exploration = EXPLORATION * uniform[segment[rows]]
            for slot in range(shelf * COLUMNS, (shelf + 1) * COLUMNS):
                title, probability = sampler.draw(
                    segments, titles[rows, :slot], uniforms[rows, slot]
                )
                titles[rows, slot] = title
                propensity[rows, slot] = probability
                # The probability that this title was drawn by exploration.
                ratio = exploration / np.maximum(sampler.probabilities[segments, title], 1e-300)
                is_exploration[rows, slot] = (explores[rows, slot] < ratio) & (title >= 0)
    artwork = np.searchsorted(np.cumsum(ARTWORK_PROPENSITY)[:-1], rng.random((n, SLOTS)), "right")
    return Pages(titles, propensity, is_exploration, shelves, artwork)
