"""Pages: what a member sees at one moment, and how a page goes on.

A page is a function of the release, the member, the moment, the filters and the member's events up
to a number. `page_id` holds these, sealed, so the rest of a page can be composed by any process,
without repeats, from the release that it began with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import orjson

from matinee.sealed import Sealer
from matinee.serving.artwork import Pictures
from matinee.serving.live import Live, Opened
from matinee.serving.members import MemberNow, Members
from matinee.serving.problems import ProblemError
from matinee.serving.release_view import Group, ReleaseView
from matinee.slates.operator_policy import REASON, with_rules
from matinee.slates.page import Proposal, Shelf, compose
from matinee.slates.shelf_proposals import Moment, proposals

SHELF_KINDS = (
    "continue_watching",
    "top_picks",
    "daypart",
    "because_you_watched",
    "trending",
    "new",
    "popular",
    "genre",
    "more_like",
    "more_picks",
)

SHELVES, MOST_SHELVES = 8, 40
"""Shelves of a page, and of each continuation."""

SLATE, MOST_SLATE = 50, 1_000
"""Titles of a list."""

LONGEST_ID = 1_024

MOST_FILTERS = 256
"""Filters of which a release keeps the titles."""

VERSION = 2


@dataclass(frozen=True)
class Filters:
    """What a page is asked to hold."""

    kind: str | None = None
    """A kind of shelf, or of titles: movie, series."""

    genre: str | None = None
    language: str | None = None
    max_runtime: int | None = None
    """Minutes."""

    def titles(self, view: ReleaseView) -> bytes | None:
        """One byte a title, 1 where it passes; None where all do."""
        of_titles = self.kind is not None and self.kind not in SHELF_KINDS
        if not (of_titles or self.genre or self.language or self.max_runtime):
            return None
        key = replace(self, kind=self.kind if of_titles else None)
        if key not in view.filtered:
            if len(view.filtered) >= MOST_FILTERS:
                view.filtered.clear()
            view.filtered[key] = bytes(key._pass(row) for row in view.files.titles)
        return view.filtered[key]

    def _pass(self, row: Mapping[str, Any]) -> bool:
        runtime = row["runtime_seconds"]
        is_short = self.max_runtime is None or (
            runtime is not None and runtime <= 60 * self.max_runtime
        )
        return (
            self.kind in (None, row["kind"])
            and (self.genre is None or self.genre in row["genres"])
            and self.language in (None, row["language"])
            and is_short
        )


@dataclass(frozen=True)
class PageState:
    """What a page is made from, as `page_id` holds it."""

    release_id: str
    member_id: str | None
    titles: tuple[int, ...]
    """Their numbers in the release, of a page without a member."""

    country: str | None
    maximum_age: int | None
    at: int
    """Seconds since 1970."""

    upto: int
    """The number of the last event that counts."""

    limit: int
    offset: int
    """Shelves that came before."""

    filters: Filters

    def packed(self) -> bytes:
        """As short JSON."""
        filters = self.filters
        return orjson.dumps(
            [
                *(VERSION, self.release_id, self.member_id, self.titles, self.country),
                *(self.maximum_age, self.at, self.upto, self.limit, self.offset),
                *(filters.kind, filters.genre, filters.language, filters.max_runtime),
            ]
        )

    @classmethod
    def unpacked(cls, data: bytes) -> PageState:
        """What `packed` wrote."""
        version, release_id, member_id, titles, country, *rest = orjson.loads(data)
        if version != VERSION:
            raise ProblemError(404, "this page was made by another version: ask for a new one")
        maximum_age, at, upto, limit, offset, *filters = rest
        return cls(
            release_id=release_id,
            member_id=member_id,
            titles=tuple(titles),
            country=country,
            maximum_age=maximum_age,
            at=at,
            upto=upto,
            limit=limit,
            offset=offset,
            filters=Filters(*filters),
        )


@dataclass
class Pages:
    """Composes pages."""

    members: Members
    live: Live
    sealer: Sealer

    def first(
        self,
        opened: Opened,
        member_id: str,
        at: datetime,
        *,
        limit: int = SHELVES,
        filters: Filters | None = None,
    ) -> bytes:
        """The page of a member as JSON."""
        upto = self.members.recent.last_number()
        state = PageState(
            opened.view.id,
            member_id,
            (),
            None,
            None,
            int(at.timestamp()),
            upto,
            limit,
            0,
            filters or Filters(),
        )
        return self._page(opened, state)

    def of_titles(
        self,
        opened: Opened,
        titles: Sequence[str],
        at: datetime,
        *,
        country: str | None,
        maximum_age: int | None,
        limit: int = SHELVES,
        filters: Filters | None = None,
    ) -> bytes:
        """The page of somebody who names titles that they like."""
        numbers = opened.view.title_numbers
        state = PageState(
            opened.view.id,
            None,
            tuple(numbers[one] for one in titles if one in numbers),
            country,
            maximum_age,
            int(at.timestamp()),
            0,
            limit,
            0,
            filters or Filters(),
        )
        return self._page(opened, state)

    def next(self, page_id: str) -> bytes:
        """The shelves that follow those of a page."""
        state = self.state(page_id)
        return self._page(self._opened(state), replace(state, offset=state.offset + state.limit))

    def state(self, page_id: str) -> PageState:
        """What a page was made from.

        Raises
        ------
        ProblemError
            404 if it is none of this server's.
        """
        data = self.sealer.unseal(page_id)
        if data is None:
            raise ProblemError(404, "no such page: page_id is none that this server gave")
        return PageState.unpacked(data)

    def shelves(self, state: PageState) -> tuple[MemberNow, list[Shelf]]:
        """All shelves of a page and of what follows it."""
        opened = self._opened(state)
        member = self._member(opened, state)
        return member, shelves_of(member, state.filters)

    def _opened(self, state: PageState) -> Opened:
        try:
            return self.live.open(state.release_id)
        except Exception as error:
            raise ProblemError(
                404, "the release of this page is gone: ask for a new page"
            ) from error

    def _member(self, opened: Opened, state: PageState) -> MemberNow:
        at = datetime.fromtimestamp(state.at, UTC)
        if state.member_id is not None:
            return self.members.now(opened, state.member_id, at, upto=state.upto)
        group = Group(state.country, state.maximum_age)
        return self.members.of_titles(opened, state.titles, group, at, 0)

    def _page(self, opened: Opened, state: PageState) -> bytes:
        member = self._member(opened, state)
        end = state.offset + state.limit
        shown = shelves_of(member, state.filters, end)[state.offset : end]
        titles = [title for shelf in shown for title in shelf.titles]
        heads = iter(pictures_of(member, state.member_id).heads(titles))
        return b"".join(
            (
                *_head(member, self.live.is_degraded),
                b',"page_id":"',
                self.sealer.seal(state.packed()).encode(),
                b'","shelves":[',
                b",".join(_shelf(heads, one) for one in shown),
                b"]}",
            )
        )

    def slate(self, opened: Opened, member_id: str, at: datetime, k: int) -> bytes:
        """The list of a member as JSON."""
        member = self.members.now(opened, member_id, at)
        titles, reasons = slate_of(member, k)
        heads = pictures_of(member, member_id).heads(titles)
        said = [head + reason + b"}" for head, reason in zip(heads, reasons, strict=True)]
        head = _head(member, self.live.is_degraded)
        return b"".join((*head, b',"titles":[', b",".join(said), b"]}"))


def slate_of(member: MemberNow, k: int) -> tuple[list[int], list[bytes]]:
    """The first titles of a list that may be shown now, with their reasons as JSON."""
    if member.published is not None:
        numbers, sentences = member.view.published(*member.published)
    else:
        numbers = list(member.lists.slate)
        sentences = [orjson.dumps(member.lists.reason(place)) for place in range(len(numbers))]
    showable, seen = member.showable, member.seen
    rules = member.view.in_force(member.group.country, member.at.date())
    if rules.changes_lists:
        said = dict(zip(numbers, sentences, strict=True))
        own = orjson.dumps(REASON)
        numbers = rules.ordered(numbers, lambda title: title not in seen)
        sentences = [own if one in rules.pinned else said[one] for one in numbers]
    kept = [
        place
        for place, title in enumerate(numbers)
        if title >= 0 and showable[title] and title not in seen
    ][:k]
    return [numbers[place] for place in kept], [sentences[place] for place in kept]


def shelves_of(member: MemberNow, filters: Filters, most: int | None = None) -> list[Shelf]:
    """The shelves of a member at a moment, in order: all, or so many at least."""
    view = member.view
    passing = filters.titles(view)
    proposed: Sequence[Proposal] = proposals(
        member.lists,
        view.of_group(member.group, member.at.date()),
        view.titles,
        Moment(member.local),
        view.takes,
    )
    rules = view.in_force(member.group.country, member.at.date())
    may_show = _may_show(member, passing)
    proposed = with_rules(proposed, rules, lambda title: title not in member.seen)
    if filters.kind in SHELF_KINDS:
        proposed = [one for one in proposed if one.kind == filters.kind]
        return _whole(member, [*proposed], passing)
    return compose(proposed, may_show=may_show, seen=member.seen, limits=rules.limits, most=most)


def _may_show(member: MemberNow, passing: bytes | None) -> Callable[[int], bool]:
    """Whether a title may be shown, as a look-up in one mask."""
    mask = member.showable
    if passing is not None:
        mask = (np.frombuffer(mask, np.uint8) & np.frombuffer(passing, np.uint8)).tobytes()
    return cast("Callable[[int], bool]", mask.__getitem__)


def _whole(member: MemberNow, proposed: Sequence[Any], passing: bytes | None) -> list[Shelf]:
    """Shelves of one kind, each cut into shelves of a page's size until its titles end."""
    found: list[Shelf] = []
    may_show = _may_show(member, passing)
    for one in proposed:
        used: set[int] = {title for shelf in found for title in shelf.titles}
        while True:
            more = compose(
                [replace(one, titles=one.titles)],
                may_show=lambda title: (
                    may_show(title) and title not in used  # noqa: B023 - called before it changes
                ),
                seen=member.seen,
            )
            if not more:
                break
            found += more
            used |= set(more[0].titles)
    return found


def _head(member: MemberNow, is_degraded: bool) -> tuple[bytes, ...]:
    view = member.view
    return (
        b'{"release_id":"',
        view.id.encode(),
        b'","generated_at":"',
        view.generated_at.encode(),
        b'","source":"',
        member.source.encode(),
        b'","context":"',
        member.context.encode(),
        b'","degraded":',
        b"true" if is_degraded else b"false",
    )


def pictures_of(member: MemberNow, member_id: str | None) -> Pictures:
    """Which picture of each title a member sees."""
    return member.view.artwork.of(member_id, member.row, is_personal=member.is_personal)


def _shelf(heads: Iterator[bytes], shelf: Shelf) -> bytes:
    titles = [next(heads) + orjson.dumps(reason) + b"}" for reason in shelf.reasons]
    return b"".join(
        (
            b'{"kind":"',
            shelf.kind.encode(),
            b'","name":',
            orjson.dumps(shelf.name),
            b',"titles":[',
            b",".join(titles),
            b"]}",
        )
    )
