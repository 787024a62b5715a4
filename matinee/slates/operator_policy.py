"""What an operator wants on pages: titles that are pinned, embargoed, buried, or limited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from matinee.slates.page import Limits, Proposal

Wish = Literal["pin", "embargo", "bury", "at_most"]

LISTS = ("top_picks", "popular")
"""Kinds of shelf that show a member's own list, or that of their country."""

REASON = "Chosen by the service"
"""The reason of a pinned title: it is no recommendation."""


@dataclass(frozen=True)
class Rule:
    """One wish for some titles, in some countries, on some days."""

    wish: Wish
    titles: tuple[str, ...]
    """Ids."""

    countries: tuple[str, ...] = ()
    """None of them: everywhere."""

    starts_on: date | None = None
    ends_on: date | None = None
    """Both days are included."""

    most: int = 0
    """Of `at_most`: titles of a page."""

    def holds(self, country: str | None, day: date) -> bool:
        """Whether it is in force."""
        in_country = not self.countries or country in self.countries
        has_begun = self.starts_on is None or self.starts_on <= day
        return in_country and has_begun and (self.ends_on is None or day <= self.ends_on)

    def stored(self) -> dict[str, Any]:
        """As a release holds it."""
        days = {"from": self.starts_on, "to": self.ends_on}
        return {
            "wish": self.wish,
            "titles": list(self.titles),
            "countries": list(self.countries),
            **{name: day.isoformat() if day else None for name, day in days.items()},
            "most": self.most,
        }

    @classmethod
    def of(cls, row: dict[str, Any]) -> Rule:
        """What `stored` gave."""
        starts_on, ends_on = (
            date.fromisoformat(row[name]) if row[name] else None for name in ("from", "to")
        )
        titles, countries = tuple(row["titles"]), tuple(row["countries"])
        return cls(row["wish"], titles, countries, starts_on, ends_on, row["most"])


@dataclass(frozen=True)
class Active:
    """The rules that are in force for one country on one day, by numbers of titles."""

    pinned: tuple[int, ...] = ()
    embargoed: frozenset[int] = frozenset()
    buried: frozenset[int] = frozenset()
    limits: Limits = field(default_factory=Limits)

    def ordered(self, titles: Sequence[int], may_pin: Callable[[int], bool]) -> list[int]:
        """A list with the pinned titles first, the buried ones last and no embargoed ones."""
        first = [one for one in self.pinned if may_pin(one)]
        rest = [one for one in titles if one not in self.embargoed and one not in first]
        return [
            *first,
            *(one for one in rest if one not in self.buried),
            *(one for one in rest if one in self.buried),
        ]

    @property
    def changes_lists(self) -> bool:
        return bool(self.pinned or self.embargoed or self.buried)


def with_rules(
    proposals: Sequence[Proposal], rules: Active, may_pin: Callable[[int], bool]
) -> Sequence[Proposal]:
    """Shelves under the rules: pinned titles are first on the member's list, buried ones last."""
    if not rules.changes_lists:
        return proposals
    return [
        _reordered(one, rules, may_pin if one.kind in LISTS and one.is_pinned else lambda _: False)
        for one in proposals
    ]


def _reordered(shelf: Proposal, rules: Active, may_pin: Callable[[int], bool]) -> Proposal:
    order = rules.ordered(shelf.titles, may_pin)
    place_of = {title: place for place, title in enumerate(shelf.titles)}
    pinned = {one for one in rules.pinned if may_pin(one)}

    def reason(place: int) -> str:
        title = order[place]
        if title in pinned:
            return REASON
        before = shelf.reasons
        return before if isinstance(before, str) else before(place_of[title])

    return replace(shelf, titles=order, reasons=reason)


def active(
    rules: Sequence[Rule], number_of: Callable[[str], int], country: str | None, day: date
) -> Active:
    """The rules in force.

    Parameters
    ----------
    number_of : title id -> number
        -1 for a title that the catalogue does not have any more.
    """
    titles: dict[str, dict[int, None]] = {"pin": {}, "embargo": {}, "bury": {}}
    groups, most = [], []
    for rule in rules:
        if not rule.holds(country, day):
            continue
        numbers = [number for one in rule.titles if (number := number_of(one)) >= 0]
        if rule.wish == "at_most":
            groups.append(numbers)
            most.append(rule.most)
        else:
            titles[rule.wish].update(dict.fromkeys(numbers))
    embargoed = frozenset(titles["embargo"])
    return Active(
        pinned=tuple(one for one in titles["pin"] if one not in embargoed),
        embargoed=embargoed,
        buried=frozenset(titles["bury"]),
        limits=Limits(groups, most),
    )
