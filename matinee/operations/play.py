"""Plays the members of a simulated service against the serving API for one day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from matinee import provenance
from matinee.errors import ConfigError
from matinee.operations.api_client import ApiClient
from matinee.operations.simulate import TRUTH
from matinee.progress import Progress
from matinee.simulator import Simulation
from matinee.simulator.viewers import DAY_SECONDS, LAST_SECOND, Event, Viewers, Visit

WINDOW = 3_600
"""Seconds of the day whose events are sent together: few requests, and few landing files."""

BATCH = 400
"""Events of one request: below its limit of bytes."""


@dataclass
class PlayedDay:
    """What members did, and what the service answered."""

    on: date
    release_id: str
    """That the day began with."""

    visits: int = 0
    requests: int = 0
    hours: Counter[int] = field(default_factory=Counter)
    """Local hour -> visits."""

    shown: Counter[str] = field(default_factory=Counter)
    """Kind of shelf -> titles that were shown; `clicks` and `plays` likewise."""

    clicks: Counter[str] = field(default_factory=Counter)
    plays: Counter[str] = field(default_factory=Counter)
    streams: Counter[str] = field(default_factory=Counter)
    """Stream -> events that were sent."""

    accepted: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """`column rule` -> events."""

    errors: Counter[str] = field(default_factory=Counter)

    @property
    def take_rate(self) -> float:
        """Visits in which a title was clicked, of all visits."""
        return self.clicks.total() / max(self.visits, 1)

    def shelves(self) -> list[dict[str, Any]]:
        """A row for each kind of shelf, most plays first, then searches and links."""
        kinds = sorted(self.shown | self.plays, key=lambda kind: (-self.plays[kind], kind))
        return [
            {
                "shelf": kind,
                "titles shown": self.shown[kind] or None,
                "clicks": self.clicks[kind] if self.shown[kind] else None,
                "take rate": _percent(self.clicks[kind], self.shown[kind]),
                "plays": self.plays[kind],
                "share of plays": _percent(self.plays[kind], self.plays.total()),
            }
            for kind in kinds
        ]

    def summary(self) -> str:
        sent = ", ".join(f"{count:,} {stream}" for stream, count in sorted(self.streams.items()))
        errors = ", ".join(f"{count:,} x {name}" for name, count in sorted(self.errors.items()))
        rejected = ", ".join(f"{count:,} x {name}" for name, count in sorted(self.rejected.items()))
        hours = ", ".join(
            f"{first:02}-{first + 5:02} h {sum(self.hours[first + n] for n in range(6)):,}"
            for first in range(0, 24, 6)
        )
        return "\n".join(
            (
                f"{self.on}, release {self.release_id}: {self.visits:,} visits, "
                f"{_percent(self.clicks.total(), self.visits) or 'none'} with a click",
                f"visits by local time: {hours}",
                f"events: {sent or 'none'}",
                f"acknowledged: {self.accepted:,}; sent before: {self.duplicates:,}; rejected: "
                f"{self.rejected.total():,}{f' ({rejected})' if rejected else ''}",
                f"requests: {self.requests:,}, errors: {self.errors.total():,}"
                f"{f' ({errors})' if errors else ''}",
            )
        )

    def add(self, visit: Visit) -> None:
        """Count a visit."""
        self.visits += 1
        self.hours[visit.hour] += 1
        for kind, was_clicked in visit.shown:
            self.shown[kind] += 1
            self.clicks[kind] += was_clicked
        for event in visit.events:
            self.streams[event.row["stream"]] += 1
            if event.row["stream"] == "plays":
                self.plays[str(visit.played_from)] += 1


def play(
    home: Path,
    url: str,
    *,
    day: date | None = None,
    members: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> PlayedDay:
    """Play one day, by default the day after the last simulated one.

    Parameters
    ----------
    url : str
        Of a server whose clock was started at that day: `matinee serve --now`.
    members : int, optional
        Only that many members, in order of joining.
    seed : int, optional
        Of the choices of the day; by default that of the simulation. Tastes are always its own.

    Raises
    ------
    ConfigError
        If nothing was simulated in `home`, the day was, or the server does not take the events.
    """
    simulation = simulated(home)
    on = day or simulation.tables.on(simulation.days)
    number = (on - simulation.first_day).days
    if number < simulation.days:
        raise ConfigError(
            f"--day must be {simulation.tables.on(simulation.days)} or later, got {on}: the logs "
            "of that day are simulated already"
        )
    client = ApiClient(url)
    try:
        viewers = Viewers(
            simulation, number, seed=simulation.seed if seed is None else seed, members=members
        )
        if client.send([], viewers.instant(LAST_SECOND)) is None:
            raise ConfigError(f"{url} takes no events of {on}: {client.problem}")
        played = PlayedDay(on, client.release_id())
        _play(viewers, client, played, progress)
    finally:
        client.close()
    played.requests, played.errors = client.requests, client.errors
    return played


def simulated(home: Path) -> Simulation:
    """The simulation that landed the logs of a home, over the days that it landed.

    Raises
    ------
    ConfigError
        If there is none.
    """
    path = home / TRUTH
    if not path.exists():
        raise ConfigError(f"{path} does not exist: run `matinee simulate` first")
    truth = provenance.document(path.read_bytes(), path, "choose another MATINEE_HOME")
    if not truth.get("planted") or "parameters" not in truth:
        raise ConfigError(f"{path} names no simulated day: run `matinee simulate` first")
    there = truth["parameters"]
    return Simulation(
        members=there["members"],
        titles=there["titles"],
        days=len(truth["planted"]),
        seed=there["seed"],
        first_day=date.fromisoformat(there["first_day"]),
    )


def _play(
    viewers: Viewers, client: ApiClient, played: PlayedDay, progress: Progress | None
) -> None:
    """Window by window, so that a second visit follows from what the first one left."""
    waiting: list[Event] = []
    number = 0
    for end in range(WINDOW, DAY_SECONDS + 1, WINDOW):
        while number < len(viewers) and viewers.second[number] < end:
            visit = viewers.visit(number, client)
            played.add(visit)
            waiting += visit.events
            number += 1
        due = [event for event in waiting if event.second < end]
        waiting = [event for event in waiting if event.second >= end]
        _send(viewers, client, played, due, min(end, LAST_SECOND))
        if progress:
            clock = timedelta(seconds=end)
            progress(
                end // WINDOW,
                DAY_SECONDS // WINDOW,
                f"{str(clock)[:-3]:>5}  {played.visits:,} visits, {played.plays.total():,} plays",
            )


def _send(
    viewers: Viewers, client: ApiClient, played: PlayedDay, events: Sequence[Event], second: int
) -> None:
    for start in range(0, len(events), BATCH):
        rows = [event.row for event in events[start : start + BATCH]]
        answer = client.send(rows, viewers.instant(second))
        if answer is None:
            continue
        played.accepted += answer["accepted"]
        played.duplicates += answer["duplicates"]
        for one in answer["rejected"]:
            played.rejected[f"{one['column']} {one['rule']}"] += 1


def _percent(part: int, whole: int) -> str | None:
    return f"{100 * part / whole:.1f} %" if whole else None
