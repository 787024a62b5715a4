"""The shelves that a page of one member may have, from the lists of a release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from matinee.slates import reason_text
from matinee.slates.page import Proposal

NEW_FOR_DAYS = 30

OWN_TITLES = 3
"""Shelves that follow a title the member watched: `because_you_watched`, then `more_like`."""

LAST_TITLES = 12
"""Last watched titles that such a shelf may follow."""

OWN_GENRES, OTHER_GENRES = 4, 6
"""Genre shelves by the member's own taste, then by their country's."""

FIRST = 5
"""Titles whose mean score is the value of a shelf."""

PARTS = ("morning", "afternoon", "evening", "night")

DAYPART_NAMES = {
    "morning": ("Morning picks", "Weekend morning"),
    "afternoon": ("Afternoon picks", "Weekend afternoon"),
    "evening": ("Tonight", "Weekend evening"),
    "night": ("Late night", "Weekend late night"),
}
"""The name of the shelf of a part of the day: on working days, on weekends."""

DAYPART_REASONS = {
    "morning": "Fits what you watch in the morning",
    "afternoon": "Fits what you watch in the afternoon",
    "evening": "Fits what you watch in the evening",
    "night": "Fits what you watch at night",
}

Numbers = Sequence[int]


@dataclass(frozen=True)
class Moment:
    """A member's own time."""

    local: datetime

    @property
    def part(self) -> str:
        """The part of the day, as the dbt macro `daypart` has it."""
        hour = self.local.hour
        return (
            PARTS[0]
            if 5 <= hour < 12
            else PARTS[1]
            if 12 <= hour < 17
            else (PARTS[2] if 17 <= hour < 22 else PARTS[3])
        )

    @property
    def is_weekend(self) -> bool:
        return self.local.isoweekday() >= 6

    @property
    def number(self) -> int:
        """Its place on an axis of eight: working days, then weekends."""
        return PARTS.index(self.part) + len(PARTS) * self.is_weekend


@dataclass(frozen=True)
class Titles:
    """What is known of all titles."""

    names: Sequence[str]
    genres: Sequence[str]
    genre_shares: NDArray[np.float32]
    """float32, shape (n_titles, n_genres): rows sum to 1, or to 0 without a genre."""

    similar: NDArray[np.int32]
    """int32, shape (n_titles, k), padded with -1."""

    added_on: NDArray[np.int32]
    """int32, shape (n_titles,): day numbers (proleptic ordinals), 0 where unknown."""


@dataclass(frozen=True)
class OfGroup:
    """What is the same for all members of one country and maturity limit."""

    country: str | None
    popular: Numbers
    """Titles by popularity there, best first."""

    trending: Numbers
    """The same by recent popularity."""

    by_genre: Mapping[int, Numbers]
    """The most popular titles of each genre, genres by popularity."""


@dataclass(frozen=True)
class OfMember:
    """The lists of one member."""

    slate: Numbers
    reason: Callable[[int], str]
    """The reason of each place of the slate."""

    pool: Numbers
    """More titles by score."""

    scores: NDArray[np.float32]
    """float32, shape (len(pool),), descending."""

    daypart_taste: NDArray[np.floating]
    """Shape (n_parts, n_genres): log ratios."""

    is_personal: bool = True
    """Whether the lists come from the member's own data."""

    last_watched: Numbers = ()
    """Titles that may be named, newest first."""

    genre_taste: NDArray[np.floating] | None = None
    """Shape (n_genres,): shares of genres in what they watched."""

    unfinished: Numbers = ()
    continued: Callable[[int], str] = field(default=lambda place: "")
    """The reason of each place of `unfinished`."""

    new_score: Callable[[NDArray[np.intp]], NDArray[np.floating]] | None = None
    """Scores of titles that may be too new to be in the pool."""


def proposals(
    member: OfMember,
    group: OfGroup,
    titles: Titles,
    moment: Moment,
    takes: Mapping[str, float],
) -> list[Proposal]:
    """Every shelf that a page may have.

    Parameters
    ----------
    takes : kind of shelf -> log ratio
        How much more often titles are taken from such a shelf than its place explains.
    """
    score = dict(zip(member.pool, member.scores.tolist(), strict=True))
    lowest = float(member.scores[-1]) if len(member.scores) else 0.0

    def value(kind: str, chosen: Numbers) -> float:
        first = [score.get(title, lowest - 1.0) for title in chosen[:FIRST]]
        return float(sum(first)) / max(1, len(first)) + takes.get(kind, 0.0)

    found = [*_pinned(member, group, titles, moment)]
    for kind, name, chosen, reason in _others(member, group, titles, moment, score):
        found.append(Proposal(kind, name, chosen, reason, value(kind, chosen)))
    return found


def _pinned(member: OfMember, group: OfGroup, titles: Titles, moment: Moment) -> Iterator[Proposal]:
    if len(member.unfinished):
        yield Proposal(
            "continue_watching",
            "Continue watching",
            member.unfinished,
            member.continued,
            is_pinned=True,
            shows_seen=True,
        )
    kind, name = (
        ("top_picks", "Top picks for you")
        if member.is_personal
        else ("popular", reason_text.popular_in(group.country))
    )
    yield Proposal(kind, name, member.slate, member.reason, is_pinned=True)
    part = moment.part
    pool = np.asarray(member.pool, np.intp)
    taste = np.asarray(member.daypart_taste[moment.number], np.float32)
    fitting = member.scores + titles.genre_shares[pool] @ taste
    order = pool[np.argsort(-fitting, kind="stable")].tolist()
    own = DAYPART_REASONS[part] if member.is_personal else "Watched at this time of day"
    yield Proposal("daypart", DAYPART_NAMES[part][moment.is_weekend], order, own, is_pinned=True)


def _others(
    member: OfMember,
    group: OfGroup,
    titles: Titles,
    moment: Moment,
    score: Mapping[int, float],
) -> Iterator[tuple[str, str, Numbers, str]]:
    """(kind, name, titles, reason) of the shelves that are ordered by value."""
    for number, watched in enumerate(_different(member.last_watched, titles)):
        name = titles.names[watched]
        near = [title for title in titles.similar[watched].tolist() if title >= 0]
        if number < OWN_TITLES:
            because = reason_text.watched(name)
            yield "because_you_watched", because, near, because
        else:
            yield "more_like", f"More like {name}", near, f"Like {reason_text.short(name)}"
    yield "trending", "Trending now", group.trending, "Trending now"
    new = np.flatnonzero(
        (titles.added_on <= moment.local.toordinal())
        & (titles.added_on > moment.local.toordinal() - NEW_FOR_DAYS)
    )
    if len(new):
        likely = member.new_score(new) if member.new_score else titles.added_on[new]
        order = new[np.argsort(-np.asarray(likely), kind="stable")].tolist()
        yield "new", "New this month", order, "New this month"
    if member.is_personal:
        popular = reason_text.popular_in(group.country)
        yield "popular", popular, group.popular, popular
    yield from _genres(member, group, titles)
    rest = member.slate if member.is_personal else member.pool
    yield "more_picks", "More for you", [*rest, *member.pool], reason_text.GENERAL


def _genres(
    member: OfMember, group: OfGroup, titles: Titles
) -> Iterator[tuple[str, str, Numbers, str]]:
    """The member's genres by their own order of titles, then genres of the country."""
    pool = np.asarray(member.pool, np.intp)
    own: list[int] = []
    if member.genre_taste is not None:
        order = np.argsort(-member.genre_taste, kind="stable")[:OWN_GENRES].tolist()
        own = [genre for genre in order if member.genre_taste[genre] > 0]
    others = [genre for genre in group.by_genre if genre not in own][:OTHER_GENRES]
    for genre in (*own, *others):
        name = titles.genres[genre]
        inside = pool[titles.genre_shares[pool, genre] > 0].tolist()
        reason = f"Because you like {name}" if genre in own else f"Popular in {name}"
        yield "genre", name, [*inside, *group.by_genre.get(genre, ())], reason


def _different(last_watched: Numbers, titles: Titles) -> list[int]:
    """Watched titles whose neighbours differ: one that is near an earlier one is left out."""
    chosen: list[int] = []
    near: set[int] = set()
    for title in last_watched[:LAST_TITLES]:
        if title in near or len(chosen) == 2 * OWN_TITLES:
            continue
        chosen.append(title)
        near.update(titles.similar[title].tolist())
    return chosen
