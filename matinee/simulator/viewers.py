"""Members who use a service that is not simulated: they see its pages, click, watch, rate, search.

Tastes, habits and choices are those of `behaviour`; only the pages come from elsewhere. Each visit
has a random stream of its own, so that what one member is shown changes no draw of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Protocol

import numpy as np

from matinee.simulator import behaviour, queries, world
from matinee.simulator.catalogue import Ints
from matinee.simulator.homepage import COLUMNS, SHELVES
from matinee.simulator.seeds import Purpose, stream
from matinee.simulator.simulation import Simulation
from matinee.simulator.tables import episode, member_id

DAY_SECONDS = 86_400
LAST_VISIT = DAY_SECONDS - 600
LAST_SECOND = DAY_SECONDS - 1
"""A play that would go on after midnight is cut here, so that a day can be played alone."""

SCREENS = 4
"""At most, of SHELVES x COLUMNS titles, as on the simulated homepage."""

SCROLL_RATE = 0.4
"""Of screens without a click are followed by the next screen."""

SCREEN_SECONDS = 20

CONTINUE = "continue_watching"
SEARCH, DIRECT = "search", "direct"
"""Where plays come from that no shelf showed."""

Row = dict[str, Any]


@dataclass(frozen=True)
class ServedShelf:
    """One shelf of a page: (title id, asset id) in order."""

    kind: str
    titles: Sequence[tuple[str, str | None]]


@dataclass(frozen=True)
class ServedPage:
    """A page, or what follows on it."""

    page_id: str
    shelves: Sequence[ServedShelf]


class Service(Protocol):
    """What members use. None stands for an answer that was refused."""

    def page(self, member: str, at: datetime) -> ServedPage | None: ...

    def next(self, page_id: str) -> ServedPage | None: ...

    def search(self, text: str, member: str, at: datetime) -> Sequence[str] | None: ...


@dataclass(frozen=True)
class Event:
    """An event in the form of the API."""

    second: int
    """Second of the day from which it can be sent."""

    row: Row


@dataclass
class Visit:
    """What a member did."""

    member: int
    second: int
    hour: int
    """Local."""

    events: list[Event] = field(default_factory=list)
    shown: list[tuple[str, bool]] = field(default_factory=list)
    """(kind of shelf, was clicked) of each title."""

    played_from: str | None = None
    """A kind of shelf, SEARCH or DIRECT."""


@dataclass(frozen=True)
class _Slot:
    page_id: str
    kind: str
    row: int
    column: int
    title: int
    variant: int


class Viewers:
    """The members of a simulation on a day after its last."""

    def __init__(
        self, simulation: Simulation, day: int, *, seed: int, members: int | None = None
    ) -> None:
        """Draw the visits of a day.

        Parameters
        ----------
        day : int
            Counted from the first day of the simulation; from `simulation.days` on.
        members : int, optional
            Only that many members, in order of joining.
        """
        morning = simulation.morning()
        self.simulation, self.day, self.seed = simulation, day, seed
        self.audience, self.seen = morning.audience, morning.seen
        on = simulation.tables.on(day)
        self.midnight = datetime.combine(on, time(), tzinfo=UTC)
        member, second, device = behaviour.arrive(
            self.audience.people,
            on.weekday(),
            morning.visit_probability[:members],
            stream(seed, Purpose.SERVED, day),
        )
        order = np.argsort(second, kind="stable")
        self.member, self.device = member[order], device[order]
        self.second = np.minimum(second[order], LAST_VISIT)
        films = self.audience.catalogue.films
        self.title_numbers = {film.id: number for number, film in enumerate(films)}
        self._artworks = {
            asset: number for number, asset in enumerate(simulation.tables.asset_ids.to_pylist())
        }

    def __len__(self) -> int:
        return len(self.member)

    def instant(self, second: int, member: int = 0) -> datetime:
        """A second of the day, with the fixed fraction of a second of a member's clock."""
        return self.midnight + timedelta(seconds=second, milliseconds=member * 7919 % 1000)

    def visit(self, number: int, service: Service) -> Visit:
        """One visit, from the page to the rating of what was watched."""
        member, second = int(self.member[number]), int(self.second[number])
        local = second + int(self.audience.people.offset[member]) * 60
        visit = Visit(member, second, local // 3600 % 24)
        rng = stream(self.seed, Purpose.SERVED, self.day, number)
        page = service.page(member_id(member), self.instant(second, member))
        if page is None:
            return visit
        clicked, screens = None, 0
        for screens, screen in enumerate(self._screens(page, service), start=1):
            clicked = self._look(number, visit, screen, screens - 1, rng)
            if clicked or screens == SCREENS or rng.random() >= SCROLL_RATE:
                break
        after = second + screens * SCREEN_SECONDS
        if clicked:
            visit.played_from = clicked.kind
            self._watch(number, visit, after, clicked.title, clicked.page_id, rng)
        elif rng.random() < behaviour.UNPROMPTED_RATE:
            self._choose_alone(number, visit, after, service, rng)
        return visit

    def _screens(self, page: ServedPage, service: Service) -> Iterator[list[_Slot]]:
        """What a member sees at a time, the pages that follow included."""
        row, following = 0, page
        while following.shelves:
            for start in range(0, len(following.shelves), SHELVES):
                shelves = following.shelves[start : start + SHELVES]
                slots = [
                    slot
                    for place, shelf in enumerate(shelves)
                    for slot in self._slots(following.page_id, shelf, row + place)
                ]
                row += len(shelves)
                if slots:
                    yield slots
            more = service.next(following.page_id)
            if more is None:
                return
            following = more

    def _slots(self, page_id: str, shelf: ServedShelf, row: int) -> Iterator[_Slot]:
        for column, (title_id, asset_id) in enumerate(shelf.titles[:COLUMNS]):
            title = self.title_numbers.get(title_id)
            if title is not None:
                variant = self._artworks.get(asset_id or "", -1)
                per_title = self.audience.catalogue.artwork.shape[1]
                is_own = variant >= 0 and variant // per_title == title
                yield _Slot(
                    page_id, shelf.kind, row, column, title, variant % per_title if is_own else -1
                )

    def _look(
        self, number: int, visit: Visit, screen: list[_Slot], before: int, rng: np.random.Generator
    ) -> _Slot | None:
        """The slot that is clicked; what was shown is recorded."""
        member = _one(visit.member)
        titles, artwork, rows, columns = np.array(
            [(slot.title, slot.variant, slot.row, slot.column) for slot in screen]
        ).T
        logits = behaviour.click_log_odds(
            self.audience, member, titles[None], artwork[None], (rows, columns)
        )
        is_new = np.array([slot.kind != CONTINUE for slot in screen])
        is_seen = self.seen.contains(member[:, None], titles[None]) & is_new
        logits += behaviour.WATCHED_PENALTY * is_seen
        choice = int(behaviour.choose_or_none(logits, rng)[0])
        second = visit.second + before * SCREEN_SECONDS
        for place, slot in enumerate(screen):
            film = self.audience.catalogue.films[slot.title]
            row = self._envelope("impressions", number, len(visit.shown), visit.member, second)
            row |= {"page_id": slot.page_id, "title_id": film.id, "was_clicked": place == choice}
            visit.events.append(Event(second + SCREEN_SECONDS, row))
            visit.shown.append((slot.kind, place == choice))
        return screen[choice] if choice >= 0 else None

    def _choose_alone(
        self, number: int, visit: Visit, second: int, service: Service, rng: np.random.Generator
    ) -> None:
        """A title that the member has in mind: by search, or by a link from elsewhere."""
        member = _one(visit.member)
        title = behaviour.choose_unprompted(self.audience, self.day, member, self.seen, rng)
        if title[0] < 0:
            return
        visit.played_from = DIRECT
        if rng.random() < behaviour.SEARCH_RATE:
            visit.played_from = SEARCH
            second += int(rng.integers(20, 90))
            if not self._search(number, visit, second, title, service, rng):
                return
        self._watch(number, visit, second, int(title[0]), None, rng)

    def _search(
        self,
        number: int,
        visit: Visit,
        second: int,
        title: Ints,
        service: Service,
        rng: np.random.Generator,
    ) -> bool:
        """Whether the service finds the title."""
        search = behaviour.Searches(
            member=_one(visit.member),
            second=_one(second),
            device=self.device[[number]],
            title=title,
            is_fruitless=rng.random(1) < behaviour.FRUITLESS_RATE,
        )
        (text,), _ = queries.query_texts(search, self.audience.catalogue, rng)
        at = self.instant(second, visit.member)
        results = service.search(text, member_id(visit.member), at) or ()
        wanted = self.audience.catalogue.films[int(title[0])].id
        row = self._envelope("searches", number, 0, visit.member, second)
        row |= {"query_text": text, "result_count": len(results)}
        if wanted in results:
            row["clicked_title_id"] = wanted
        visit.events.append(Event(second, row))
        return wanted in results

    def _watch(
        self,
        number: int,
        visit: Visit,
        second: int,
        title: int,
        page_id: str | None,
        rng: np.random.Generator,
    ) -> None:
        start = _one(visit.member), _one(second), self.device[[number]]
        plays = behaviour.watch(self.audience, start, _one(title), _one(0), rng)
        plays = replace(plays, watched=np.minimum(plays.watched, LAST_SECOND - plays.second))
        begun, watched = int(plays.second[0]), int(plays.watched[0])
        film = self.audience.catalogue.films[title]
        is_trailer = bool(plays.is_trailer[0])
        row = self._envelope("plays", number, 0, visit.member, begun)
        row |= {
            "title_id": film.id,
            "watched_seconds": watched,
            "runtime_seconds": int(plays.runtime[0]),
            "is_autoplay": False,
            "is_trailer": is_trailer,
        }
        if page_id is not None:
            row["page_id"] = page_id
        if not is_trailer:
            row["position_seconds"] = watched
            self.seen.add(plays.member, plays.title)
        if film.is_series and not is_trailer:
            row["episode_label"] = episode(visit.member, title, self.day)
        visit.events.append(Event(begun + watched, row))
        self._rate(number, visit, plays, rng)

    def _rate(
        self, number: int, visit: Visit, plays: behaviour.Plays, rng: np.random.Generator
    ) -> None:
        ratings = behaviour.rate(self.audience, plays, rng)
        if not len(ratings.member) or ratings.second[0] > LAST_SECOND:
            return
        second = int(ratings.second[0])
        row = self._envelope("ratings", number, 0, visit.member, second)
        row |= {
            "title_id": self.audience.catalogue.films[int(ratings.title[0])].id,
            "rating_kind": "stars" if ratings.is_stars[0] else "thumbs",
            "value": float(ratings.value[0]),
        }
        visit.events.append(Event(second, row))

    def _envelope(self, kind: str, number: int, place: int, member: int, second: int) -> Row:
        people = self.audience.people
        at = self.instant(second, member)
        return {
            "stream": kind,
            "event_id": f"api-{kind}-{at:%Y%m%d}-{self.seed}-{number:06}-{place}",
            "event_at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
            "member_id": member_id(member),
            "country": world.COUNTRIES[int(people.country[member])].code,
            "device": world.DEVICES[int(self.device[number])],
            "utc_offset_minutes": int(people.offset[member]),
        }


def _one(value: int) -> Ints:
    return np.array([value])
