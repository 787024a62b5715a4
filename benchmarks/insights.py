"""What insights find of what was planted: `python -m benchmarks.insights`.

Simulated services, without a warehouse: trends that are there, trends that are not, and segments
beside the planted types of viewers. Prints the tables of docs/research/insights.md, and exits 1 if
a claim of that page does not hold. With a home (MATINEE_HOME) after `matinee run` it also compares
the segments of the live release with the planted types of its members.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from matinee.insights.attributes import Attributes, narratives
from matinee.insights.cells import CellRule
from matinee.insights.multiple_tests import q_values
from matinee.insights.ratios import Ratio, change
from matinee.insights.segments import adjusted_rand
from matinee.night.insights.momentum import ALARM_RATE
from matinee.releases import Store
from matinee.settings import Settings
from matinee.simulator import world
from matinee.simulator.simulation import Simulation
from matinee.simulator.taste import RisingTheme

MEMBERS, TITLES, DAYS = 1500, 400, 25
"""Three weeks and what is before their first Monday (2026-01-05), so that members have a taste."""

WEEKS = (11, 18, 25)
"""The first days of the two weeks that are compared, and the day after."""

QUIET, RISING = 20, 10
"""Seeds without and with a trend."""

UTILITIES = (0.25, 0.5, 0.75)

RULE = CellRule(20, 10)


def say(line: str) -> None:
    """One line of a table."""
    sys.stdout.write(f"{line}\n")


@dataclass(frozen=True)
class Weeks:
    """Two weeks of one simulated service."""

    before: sp.csr_array[np.float64]
    after: sp.csr_array[np.float64]
    attributes: Attributes


def simulate(seed: int, rising: RisingTheme | None = None) -> Weeks:
    """Seconds by member and title of two weeks, of titles that were there in both."""
    service = Simulation(MEMBERS, TITLES, DAYS + 4, seed, rising=rising)
    plays = pa.concat_tables([day.tables["plays"] for day in service.landing_days(WEEKS[0])])
    columns = ["event_id", "event_at", "member_id", "title_id", "watched_seconds"]
    plays = plays.select(columns).group_by("event_id", use_threads=False)
    plays = plays.aggregate([(name, "first") for name in columns[1:]])  # each delivery once
    catalogue = service.catalogue
    day = pc.days_between(
        pa.scalar(service.first_day), plays["event_at_first"].cast(pa.date32())
    ).to_numpy()
    title = pc.index_in(plays["title_id_first"], service.tables.title_ids).to_numpy()
    member = pc.index_in(plays["member_id_first"], service.tables.member_ids).to_numpy()
    seconds = plays["watched_seconds_first"].to_numpy().astype(np.float64)
    stable = (catalogue.added <= WEEKS[0]) & (catalogue.retired > WEEKS[2])
    shape = len(service.people), len(catalogue)
    weeks = []
    for start, end in pairwise(WEEKS):
        inside = (day >= start) & (day < end) & stable[title]
        entries = seconds[inside], (member[inside], title[inside])
        weeks.append(sp.coo_array(entries, shape=shape).tocsr())
    themes = [[list(world.THEMES)[k] for k in np.flatnonzero(row)] for row in catalogue.themes]
    lists = {
        "genre": [film.genres for film in catalogue.films],
        "theme": themes,
        "narrative": narratives(themes),
        "person": [[*film.directors, *film.actors] for film in catalogue.films],
        "language": [[film.language] for film in catalogue.films],
        "country": [film.countries for film in catalogue.films],
    }
    return Weeks(weeks[0], weeks[1], Attributes.of(lists))


@dataclass(frozen=True)
class Found:
    """The tests of one service."""

    names: list[tuple[str, str]]
    p: np.ndarray
    q: np.ndarray
    log: np.ndarray

    @property
    def alarms(self) -> list[tuple[str, str]]:
        return [self.names[row] for row in np.flatnonzero(self.q <= ALARM_RATE)]

    def rank(self, theme: str) -> int | None:
        """The place of a theme among all that rise, from 1."""
        rising = [row for row in np.argsort(self.p) if self.log[row] > 0 and self.p[row] <= 1]
        places = [self.names[row] for row in rising]
        return places.index(("theme", theme)) + 1 if ("theme", theme) in places else None


def tests_of(weeks: Weeks) -> Found:
    """Every attribute, by hours and by starters."""
    names, p, log = [], [], []
    matrix = weeks.attributes.matrix
    for count in (False, True):
        before, after = (
            (week > 0).astype(np.float64) if count else week for week in (weeks.before, weeks.after)
        )
        found = change(Ratio(before, before, True), Ratio(after, after, True), matrix)
        enough = RULE.allows((before @ matrix).tocsr()) & RULE.allows((after @ matrix).tocsr())
        p.append(np.where(enough, found.p, np.nan))
        log.append(found.log)
        names += list(zip(weeks.attributes.families, weeks.attributes.values, strict=True))
    joined = np.concatenate(p)
    return Found(names, joined, q_values(joined), np.concatenate(log))


def quiet() -> Iterator[Found]:
    """Services in which nothing rises."""
    for seed in range(1, QUIET + 1):
        yield tests_of(simulate(seed))


def trends() -> bool:
    """False alarms and power; whether both are as the page says."""
    found = list(quiet())
    p = np.concatenate([one.p[np.isfinite(one.p)] for one in found])
    alarms = [name for one in found for name in one.alarms]
    say(f"quiet services {len(found)}, tests {len(p)}, false alarms {len(alarms)} {alarms}")
    for level in (0.05, 0.01, 0.001):
        say(f"  p below {level}: {np.mean(p < level):.4f}")
    say("planted rise (standard deviations)  rank of the theme by seed  named as rising")
    is_first = True
    themes = list(world.THEMES)
    for utility in UTILITIES:
        ranks, named = [], 0
        for seed in range(101, 101 + RISING):
            theme = themes[seed % len(themes)]
            one = tests_of(simulate(seed, RisingTheme(theme, WEEKS[1], utility)))
            ranks.append(one.rank(theme))
            named += ("theme", theme) in one.alarms
        say(f"  {utility:<4}  {ranks}  {named} of {RISING}")
        if utility == UTILITIES[-1]:
            is_first = all(rank is not None and rank <= 3 for rank in ranks)
    return not alarms and is_first


def segments() -> None:
    """The segments of a home beside the planted types of its members."""
    settings = Settings()
    truth = json.loads((settings.home / "simulator/truth.json").read_text(encoding="utf-8"))
    live = Store.of(settings.home).open("live")
    table = live.table("insights/segment_members.parquet").to_pydict()
    main = [next(iter(truth["members"][one]["archetypes"])) for one in table["member_id"]]
    types = np.unique(main, return_inverse=True)[1]
    labels = np.unique(table["segment"], return_inverse=True)[1]
    shuffled = np.random.default_rng(1).permutation(labels)
    say(
        f"segments {labels.max() + 1} of {len(labels)} members, adjusted Rand index with the main "
        f"planted type {adjusted_rand(labels, types):.3f}, of shuffled segments "
        f"{adjusted_rand(shuffled, types):.3f}"
    )
    names = {
        row["segment"]: row["name"] for row in live.table("insights/segments.parquet").to_pylist()
    }
    for number, name in sorted(names.items()):
        inside = [one for one, of in zip(main, table["segment"], strict=True) if of == number]
        most = max(sorted(set(inside)), key=inside.count)
        say(f"  {number}  {name}: {most} {inside.count(most)} of {len(inside)}")


def main() -> int:
    """All parts."""
    if os.environ.get("MATINEE_HOME"):
        segments()
    return 0 if trends() else 1


if __name__ == "__main__":
    sys.exit(main())
