"""What the API knows of one member now, and the lists that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from matinee.columns import IS_INTERACTION, IS_NAMEABLE, IS_SEEN
from matinee.models.combination import Context
from matinee.recent_events import IS_HIDDEN, Recent, RecentEvents
from matinee.serving.fold_in import Known
from matinee.serving.live import Opened
from matinee.serving.problems import ProblemError
from matinee.serving.refusals import Refusals
from matinee.serving.release_view import Group, ReleaseView, continued, epoch
from matinee.settings import Settings
from matinee.slates import calibration
from matinee.slates.shelf_proposals import OfMember
from matinee.slates.sources import Source

SESSION = timedelta(minutes=30)
"""A member who acted within this time is in a session."""

UNFINISHED = range(50, 951)
"""Thousandths watched of a title that is to be continued."""

SLATE = 50
"""Titles of a list that follows from events."""

POOL = 200

MOST_FOLDED = 512
"""Lists that are kept: some 30 kB each."""


@dataclass(frozen=True)
class MemberNow:
    """A member at one moment."""

    opened: Opened
    at: datetime
    row: int
    """In the release; -1 for a member that no night has seen, and for a list without a member."""

    group: Group
    source: str
    context: Context
    is_personal: bool
    make_lists: Callable[[], OfMember]
    make_seen: Callable[[], Collection[int]]
    published: tuple[int, Context, str] | None
    """Where the release has their list, as `ReleaseView.published` takes it; None for a new one."""

    hidden: frozenset[int]
    """Not wanted anywhere."""

    utc_offset: int
    events: Sequence[Recent]
    known: Known | None
    """What the lists follow from, where events since the release count."""

    @cached_property
    def lists(self) -> OfMember:
        return self.make_lists()

    @cached_property
    def seen(self) -> Collection[int]:
        """Titles that are not shown again, but in Continue watching."""
        return self.make_seen()

    @property
    def view(self) -> ReleaseView:
        return self.opened.view

    @property
    def local(self) -> datetime:
        return (self.at + timedelta(minutes=self.utc_offset)).replace(tzinfo=None)

    @cached_property
    def allowed(self) -> bytes:
        """Which titles may be shown to them on this day: one byte a title."""
        return self.view.allowed(self.group, self.at.date())

    @cached_property
    def showable(self) -> bytes:
        """The same without what they do not want to see."""
        if not self.hidden:
            return self.allowed
        mask = bytearray(self.allowed)
        for title in self.hidden:
            mask[title] = 0
        return bytes(mask)


@dataclass
class Members:
    """Finds members."""

    settings: Settings
    refusals: Refusals
    recent: RecentEvents
    _folded: dict[tuple[object, ...], OfMember] = field(default_factory=dict)
    """Lists that follow from events, until there are other events."""

    def now(
        self, opened: Opened, member_id: str, at: datetime, *, upto: int | None = None
    ) -> MemberNow:
        """A member at a moment.

        Parameters
        ----------
        upto : int, optional
            The number of the last event that counts, to continue a page.

        Raises
        ------
        ProblemError
            404 if neither the release nor an event knows the id.
        """
        view = opened.view
        row = view.files.row_of(member_id)
        events = self.recent.of_member(member_id, after=epoch(view.as_of), upto=upto)
        if row < 0 and not events:
            raise ProblemError(404, "no such member: no night and no event has named this id")
        last = events[-1] if events else None
        group = view.group_of(row) if row >= 0 else Group(_country(events), view.default_age)
        known_offset = [one.utc_offset_minutes for one in events if one.utc_offset_minutes]
        offset = known_offset[-1] if known_offset else view.utc_offset(row) if row >= 0 else 0
        refuses = self.refusals.refused(member_id) or (
            view.source_of(row) is Source.NON_PROFILED
            if row >= 0
            else self.settings.consent_without_record == "refused"
        )
        if refuses:
            return self._without_data(opened, group, at, offset, row)
        acted_at = max(
            int(view.files.arrays["acted_at"][row]) if row >= 0 else 0,
            last.event_at if last else 0,
        )
        is_active = 0 <= epoch(at) - acted_at <= SESSION.total_seconds()
        hidden = frozenset(_numbers(view, events, IS_HIDDEN))
        if any(event.flags & (IS_SEEN | IS_INTERACTION) for event in events):
            known = opened.fold_in.known(row, events, group=group, is_active=is_active)
            return self._folded_in(opened, known, at, offset, row, events, hidden)
        context: Context = "session" if is_active else "next_visit"
        source = view.source_of(row) if row >= 0 else Source.POPULAR
        return MemberNow(
            opened=opened,
            at=at,
            row=row,
            group=group,
            source=view.label(source, context),
            context=context,
            is_personal=source in (Source.HYBRID, Source.COLD_MEMBER),
            make_lists=lambda: with_unfinished(
                view,
                view.lists(row, context) if row >= 0 else view.group_lists(group),
                row,
                events,
            ),
            make_seen=lambda: view.seen(row) if row >= 0 else (),
            published=(row, context, "") if row >= 0 else _of_group(view, group),
            hidden=hidden,
            utc_offset=offset,
            events=events,
            known=None,
        )

    def of_titles(
        self, opened: Opened, titles: Sequence[int], group: Group, at: datetime, offset: int
    ) -> MemberNow:
        """Somebody without an id who names some titles: a sign-up, a tablet that is shared."""
        if not titles:
            return self._without_data(opened, group, at, offset, -1)
        order = np.array(list(dict.fromkeys(titles)), np.intp)
        known = Known(
            order, frozenset(titles), opened.fold_in.profile_vector(), group, is_active=True
        )
        return self._folded_in(opened, known, at, offset, -1, (), frozenset())

    def _without_data(
        self, opened: Opened, group: Group, at: datetime, offset: int, row: int
    ) -> MemberNow:
        view = opened.view
        return MemberNow(
            opened=opened,
            at=at,
            row=row,
            group=group,
            source=view.label(Source.NON_PROFILED, "next_visit"),
            context="next_visit",
            is_personal=False,
            make_lists=lambda: view.group_lists(group),
            make_seen=frozenset,
            published=_of_group(view, group),
            hidden=frozenset(),
            utc_offset=offset,
            events=(),
            known=None,
        )

    def _folded_in(
        self,
        opened: Opened,
        known: Known,
        at: datetime,
        offset: int,
        row: int,
        events: Sequence[Recent],
        hidden: frozenset[int],
    ) -> MemberNow:
        view = opened.view
        key = (view.id, known.group, at.date(), known.context, row, tuple(events))
        lists = self._folded.get(key) if events else None
        if lists is None:
            lists = self._lists(opened, known, at, row, events)
            if events:
                if len(self._folded) >= MOST_FOLDED:
                    self._folded.pop(next(iter(self._folded)))
                self._folded[key] = lists
        found = lists
        source = Source.HYBRID if len(known.titles) else Source.COLD_MEMBER
        return MemberNow(
            opened=opened,
            at=at,
            row=row,
            group=known.group,
            source=view.label(source, known.context),
            context=known.context,
            is_personal=True,
            make_lists=lambda: with_unfinished(view, found, row, events),
            make_seen=lambda: known.seen,
            published=None,
            hidden=hidden,
            utc_offset=offset,
            events=events,
            known=known,
        )

    def _lists(
        self, opened: Opened, known: Known, at: datetime, row: int, events: Sequence[Recent]
    ) -> OfMember:
        view, fold_in = opened.view, opened.fold_in
        allowed = np.frombuffer(view.allowed(known.group, at.date()), np.uint8) > 0
        ranked = fold_in.ranked(known, allowed, POOL)
        slate = ranked.titles[:SLATE]
        taste = view.taste(known.titles)
        if known.context == "next_visit" and taste is not None and len(slate):
            slate, _ = calibration.rerank(
                slate[None, :],
                ranked.scores[None, :SLATE].astype(np.float32),
                (taste / taste.sum())[None, :],
                fold_in.genre_shares,
                weight=fold_in.chosen.calibration_weight,
            )
            slate = slate[0]
        reasons = fold_in.reasons(known, ranked, slate)
        named = _nameable(view, row, events, known)
        return OfMember(
            slate=slate.tolist(),
            reason=reasons.__getitem__,
            pool=ranked.titles.tolist(),
            scores=ranked.scores.astype(np.float32),
            daypart_taste=(
                view.files.arrays["daypart_taste"][row]
                if row >= 0
                else view.files.arrays["group_daypart_taste"][view.group_row(known.group)]
            ),
            last_watched=named,
            genre_taste=taste,
            new_score=lambda new: view.files.arrays["title_vector"][new] @ known.vector,
        )


def _of_group(view: ReleaseView, group: Group) -> tuple[int, Context, str]:
    return view.group_row(group), "next_visit", "group_"


def with_unfinished(
    view: ReleaseView, lists: OfMember, row: int, events: Sequence[Recent]
) -> OfMember:
    """The lists with what is to be continued, by the events since the release too."""
    found: dict[int, tuple[int, int, str]] = {}
    if row >= 0:
        episodes = view.files.contents["episodes"]
        parts = view.files.of_member("unfinished", row)
        columns = (parts[name].tolist() for name in ("title", "time", "progress", "episode"))
        for title, at, progress, episode in zip(*columns, strict=True):
            found[title] = at, progress, episodes[episode]
    for event in events:
        number = view.title_numbers.get(event.title_id or "", -1)
        if number >= 0 and event.progress_milli is not None:
            found[number] = event.event_at, event.progress_milli, event.episode_label or ""
    open_ones = [
        (-at, title, progress, episode)
        for title, (at, progress, episode) in found.items()
        if progress in UNFINISHED
    ]
    open_ones.sort()
    return replace(
        lists,
        unfinished=[title for _, title, _, _ in open_ones],
        continued=lambda place: continued(*open_ones[place][2:]),
    )


def _numbers(view: ReleaseView, events: Sequence[Recent], flag: int) -> list[int]:
    numbers = view.title_numbers
    return [
        numbers[event.title_id]
        for event in events
        if event.flags & flag and event.title_id in numbers
    ]


def _nameable(view: ReleaseView, row: int, events: Sequence[Recent], known: Known) -> list[int]:
    """Titles that reasons may name, newest first."""
    new = _numbers(view, events, IS_NAMEABLE)[::-1]
    if row < 0 and not events:  # of somebody without an id
        new = known.titles[::-1].tolist()
    before = view.lists(row, "next_visit").last_watched if row >= 0 else ()
    return [one for one in dict.fromkeys([*new, *before]) if one in known.titles]


def _country(events: Sequence[Recent]) -> str | None:
    named = [event.country for event in events if event.country]
    return named[-1] if named else None
