"""Why a title is shown to a member, by exact contributions, or why it is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from matinee import matrices
from matinee.columns import IS_INTERACTION, IS_SEEN
from matinee.night.attribution import WATCHED
from matinee.serving.fold_in import Known, Ranked
from matinee.serving.members import SESSION, MemberNow
from matinee.serving.pages import Filters, shelves_of, slate_of
from matinee.serving.release_view import ReleaseView, epoch
from matinee.slates import reason_text

Row = dict[str, Any]

MOST_NAMED = 5
"""Watched titles that are named one by one."""


def why(member: MemberNow, title: int, *, slate_size: int) -> Row:
    """The answer of the API: `title_id`, `shown`, and `because`, a list of kind, text and value.

    `shown` speaks of the list and of the shelves that recommend, not of Continue watching.
    """
    shelf = _shelf_with(member, title)
    titles, _ = slate_of(member, slate_size)
    rank = titles.index(title) + 1 if title in titles else None
    is_shown = rank is not None or shelf is not None
    because: list[Row] = []
    if rank is not None:
        because.append(_row("rank", f"Place {rank} of their list", rank))
    if shelf is not None:
        because.append(_row("shelf", f"On the shelf {shelf}", shelf))
    if not is_shown:
        because += _why_not(member, title, titles)
    elif member.is_personal:
        because += _contributions(member, title, *_ranked(member, title))
    else:
        because.append(_row("popularity", reason_text.popular_in(member.group.country), None))
    return {
        "title_id": member.view.files.titles[title]["id"],
        "name": member.view.files.titles[title]["name"],
        "shown": is_shown,
        "source": member.source,
        "because": because,
    }


def _shelf_with(member: MemberNow, title: int) -> str | None:
    for shelf in shelves_of(member, Filters()):
        if title in shelf.titles and shelf.kind != "continue_watching":
            return shelf.name
    return None


def _why_not(member: MemberNow, title: int, shown: list[int]) -> list[Row]:
    """What keeps a title out: rules first, then titles that were ranked higher."""
    found = [*_rules(member, title)]
    return found or _outranked(member, title, shown)


def _rules(member: MemberNow, title: int) -> Iterator[Row]:
    view, row = member.view, member.view.files.titles[title]
    today = member.at.date()
    if title in member.hidden:
        yield _row("not_interested", "They said that they are not interested in it", None)
    elif title in member.seen:
        yield _row("seen", "They have seen it already", None)
    if row["is_retired"]:
        yield _row("retired", "It is no longer in the catalogue", None)
    if title in view.in_force(member.group.country, today).embargoed:
        yield _row("embargo", "The service does not show it at present", None)
    if row["added_on"] and date.fromisoformat(row["added_on"]) > today:
        yield _row("embargo", f"It comes on {row['added_on']}", row["added_on"])
    limit, age = member.group.maximum_age, row["minimum_age"]
    if limit is not None and age is None:
        yield _row(
            "maturity", f"Its age rating is unknown and the profile's limit is {limit}", None
        )
    elif limit is not None and age > limit:
        yield _row(
            "maturity", f"It is for {age} and over, the limit of the profile is {limit}", age
        )
    if not member.allowed[title] and not _is_open(view, title, member.group.country, today):
        where = member.group.country or "their country"
        yield _row("window", f"It is not available in {where} on {today}", str(today))


def _is_open(view: ReleaseView, title: int, country: str | None, today: date) -> bool:
    """Whether a title has no windows, or an open one."""
    name = view.files.titles[title]["id"]
    windows = [one for one in view.files.windows if one["title_id"] == name]
    return not windows or any(
        one["country"] in (None, country)
        and (one["starts_on"] is None or date.fromisoformat(one["starts_on"]) <= today)
        and (one["ends_on"] is None or date.fromisoformat(one["ends_on"]) >= today)
        for one in windows
    )


def _outranked(member: MemberNow, title: int, shown: list[int]) -> list[Row]:
    """At which rank it would stand, and by how much it misses the last place."""
    if not member.is_personal:
        return [
            _row(
                "consent",
                "Their list uses no data of theirs: it holds what is popular in their country",
                None,
            )
        ]
    known, ranked = _ranked(member, title)
    place = np.flatnonzero(ranked.titles == title)
    if not len(place):
        return [_row("outranked", "No part of the model puts it among its first titles", None)]
    rank = int(place[0]) + 1
    last = ranked.scores[min(len(shown), len(ranked.scores)) - 1]
    gap = float(last - ranked.scores[place[0]])
    return [
        _row("outranked", f"It would stand at rank {rank}", rank),
        _row("gap", f"Its score is {gap:.3f} below the last title of their list", round(gap, 6)),
        *_contributions(member, title, known, ranked),
    ]


def _ranked(member: MemberNow, title: int) -> tuple[Known, Ranked]:
    """All candidates of a member, with a title in any case."""
    known = member.known or known_of(member)
    allowed = np.frombuffer(member.allowed, np.uint8) > 0
    return known, member.opened.fold_in.ranked(known, allowed, len(allowed), also=title)


def known_of(member: MemberNow) -> Known:
    """What a published list follows from."""
    at = epoch(member.at)
    acted_at = int(member.view.files.arrays["acted_at"][member.row]) if member.row >= 0 else 0
    is_active = 0 <= at - acted_at <= SESSION.total_seconds()
    counted = [one for one in member.events if one.flags & (IS_SEEN | IS_INTERACTION)]
    return member.opened.fold_in.known(member.row, counted, group=member.group, is_active=is_active)


def _contributions(member: MemberNow, title: int, known: Known, ranked: Ranked) -> list[Row]:
    """What the score of a title is made of, by group, largest first; they add up to `score`."""
    fold_in, view = member.opened.fold_in, member.view
    place = np.flatnonzero(ranked.titles == title)
    if not len(place):
        return []
    contributions = ranked.scored.contributions(ranked.places[place])
    attribution = fold_in.attribution(known, ranked.parts)
    _, names, amounts = attribution.rows_of(
        np.zeros(1, np.intp),
        np.array([title]),
        contributions,
        title_ids=view.vocabulary,
        most_named=MOST_NAMED,
    )
    groups: dict[str, tuple[float, list[str]]] = {}
    for name, amount in zip(names.to_pylist(), amounts.tolist(), strict=True):
        family, _, value = name.partition("=")
        if family == WATCHED and value:
            value = view.files.titles[view.title_numbers[value]]["name"]
        total, values = groups.get(family, (0.0, []))
        named = [*values, value] if value and family != matrices.IDENTITY else values
        groups[family] = total + amount, named
    rows = [
        _row(family, _text(family, named), round(total, 6))
        for family, (total, named) in groups.items()
    ]
    rows.sort(key=lambda row: -abs(row["value"]))
    return [_row("score", "The sum of what follows", round(float(contributions.sum()), 6)), *rows]


def _text(family: str, values: list[str]) -> str:
    group = reason_text.group(family)
    return f"{group}: {', '.join(values)}" if values else group


def _row(kind: str, text: str, value: Any) -> Row:
    return {"kind": kind, "text": text, "value": value}
