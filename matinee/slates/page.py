"""A page: named shelves in the order of their expected value, with no title twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

PLACES = 10
"""Titles on a shelf."""

LEAST = 3
"""A shelf of fewer titles is left out, unless it is to be continued."""


@dataclass(frozen=True)
class Proposal:
    """A shelf as it would be on an empty page."""

    kind: str
    name: str
    titles: Sequence[int]
    """Candidates, best first."""

    reasons: str | Callable[[int], str]
    """The reason of every title, or of the title in each place of `titles`."""

    value: float = 0.0
    """Expected value in log odds; shelves come in its order."""

    is_pinned: bool = False
    """Whether it comes before those that are ordered by value."""

    shows_seen: bool = False
    """Whether it shows titles that the member has seen: Continue watching."""


@dataclass(frozen=True)
class Shelf:
    """A shelf of a page."""

    kind: str
    name: str
    titles: list[int]
    reasons: list[str]


@dataclass(frozen=True)
class Limits:
    """What an operator allows at most on one page: of titles of one group, so many."""

    groups: Sequence[Collection[int]] = ()
    """The titles of each group."""

    most: Sequence[int] = ()
    """Titles of each group."""

    counts: dict[int, list[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for number, titles in enumerate(self.groups):
            for title in titles:
                self.counts.setdefault(title, []).append(number)


def compose(
    proposals: Sequence[Proposal],
    *,
    may_show: Callable[[int], bool],
    seen: Collection[int],
    limits: Limits | None = None,
    most: int | None = None,
    places: int = PLACES,
) -> list[Shelf]:
    """Fill shelves in their order; a title is on the first shelf that proposes it.

    Parameters
    ----------
    may_show : title -> bool
        Eligible for this member now: in the catalogue, in a window, within the maturity limit.
    seen : titles
        Not shown again, but on shelves that continue them.
    limits : Limits, optional
        A shelf that would exceed one goes on with its next title.
    most : int, optional
        Shelves that are composed.
    """
    limits = limits or Limits()
    left = list(limits.most)
    used: set[int] = set()
    shelves: list[Shelf] = []
    pinned = [one for one in proposals if one.is_pinned]
    others = [one for one in proposals if not one.is_pinned]
    ordered = [*pinned, *sorted(others, key=lambda one: -one.value)]
    for one in ordered:
        if len(shelves) == most:
            break
        titles: list[int] = []
        reasons: list[str] = []
        for place, title in enumerate(one.titles):
            if len(titles) == places:
                break
            if title in used or not may_show(title) or (title in seen and not one.shows_seen):
                continue
            groups = limits.counts.get(title, ())
            if any(left[group] < 1 for group in groups):
                continue
            for group in groups:
                left[group] -= 1
            used.add(title)
            titles.append(title)
            reasons.append(one.reasons if isinstance(one.reasons, str) else one.reasons(place))
        if len(titles) >= LEAST or (titles and one.shows_seen):
            shelves.append(Shelf(one.kind, one.name, titles, reasons))
            continue
        used.difference_update(titles)
        for title in titles:
            for group in limits.counts.get(title, ()):
                left[group] += 1
    return shelves
