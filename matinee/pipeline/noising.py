"""Numbers for others to read: counts with noise, paid for out of a budget that each day has once.

A release holds exact counts of 20 members or more; they stay with whoever runs the service. What
leaves the house is this: every genre of every closed day, small or not, with noise that hides what
any one member did on any one day. Each answer costs some of the budget of the days that it tells
of, and what is spent stays spent.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from matinee import noise, warehouse
from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.pipeline import reading
from matinee.provenance import canonical_json, parse_json
from matinee.releases import files, lease
from matinee.settings import Settings

LEDGER = "privacy/budget.jsonl"

BUDGET = Fraction(1)
"""Epsilon that a day has, for ever. Two answers of 1/2, or ten of 1/10, and no more."""

GENRES_A_DAY = 3
"""In as many genres one member counts on one day, once in each."""

COUNTS = """
    with

    title_genres as (

        select
            title_id,
            unnest(list_distinct(genres)) as genre
        from titles

    ),

    days as (

        select cast(unnest(range($first::date, $last::date + 1, interval 1 day)) as date) as day

    ),

    member_genres as (

        select distinct
            acts.member_id,
            cast(acts.event_at as date) as day,
            genres.genre
        from int_acts__closed as acts
        inner join title_genres as genres using (title_id)
        where cast(acts.event_at as date) between $first::date and $last::date

    ),

    bounded as (

        -- Which genres count depends on nobody but the member.
        select * from member_genres
        qualify row_number() over (
            partition by member_id, day
            order by md5(member_id || '/' || day || '/' || genre)
        ) <= $most

    ),

    cells as (

        -- All of them, whether anybody was there or not: an empty one that is left out tells that.
        select
            days.day,
            genres.genre
        from days
        cross join (select distinct genre from title_genres) as genres

    )

    select
        day,
        genre,
        count(bounded.member_id) as member_count
    from cells
    left join bounded using (day, genre)
    group by day, genre
    order by day, genre
"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Spent:
    """One line of the ledger."""

    at: str
    by: str
    epsilon: str
    """A fraction or a decimal, as it was asked for."""
    first_day: str
    last_day: str

    def covers(self, day: date) -> bool:
        return self.first_day <= day.isoformat() <= self.last_day


@dataclass(frozen=True)
class Trends:
    """Members by day and genre, with noise, and what it cost."""

    epsilon: str
    scale: str
    """Of the noise: a number is off by about as much."""
    left: str
    """Of the budget of the day that has least."""
    rows: list[Row]


def trends(settings: Settings, epsilon: str, days: int, *, at: datetime, by: str) -> Trends:
    """Members who watched or rated each genre on each of the last closed days, with noise.

    Raises
    ------
    RefusedError
        If a day's budget is too small for it: nothing is told and nothing spent.
    """
    asked = _fraction(epsilon)
    last = closed_until(settings)
    first = last - timedelta(days=days - 1)
    told = [first + timedelta(days=number) for number in range(days)]
    home = settings.home.resolve()
    with lease(home, name="budget", wait_seconds=10):
        lines = ledger(settings)
        left = {day: BUDGET - spent(lines, day) for day in told}
        poorest = min(told, key=lambda day: (left[day], day))
        if left[poorest] < asked:
            raise RefusedError(
                f"{poorest} has {left[poorest]} of its privacy budget of {BUDGET} left and "
                f"{epsilon} is asked: ask for less, or for days that have not been told"
            )
        exact = counts(settings, first, last)
        line = Spent(at.isoformat(), by, str(asked), first.isoformat(), last.isoformat())
        path = home / LEDGER
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.storage_errors(path):
            files.append(path, canonical_json(asdict(line)))  # before anybody sees a number
    scale = GENRES_A_DAY / asked
    rows = [
        {**row, "member_count": row["member_count"] + noise.discrete_laplace(scale, _draw)}
        for row in exact
    ]
    return Trends(str(asked), str(scale), str(left[poorest] - asked), rows)


def counts(settings: Settings, first: date, last: date) -> list[Row]:
    """The exact counts, each member in at most `GENRES_A_DAY` of a day. Never to be told."""
    asked = {"first": first, "last": last, "most": GENRES_A_DAY}
    rows: list[Row] = warehouse.query(COUNTS, asked, home=settings.home.resolve()).to_pylist()
    return rows


def closed_until(settings: Settings) -> date:
    """The last day of the live release that is closed: what comes later changes it no more."""
    as_of = datetime.fromisoformat(reading.store(settings).open("live").manifest["as_of"])
    return as_of.date() - timedelta(days=settings.lateness_days + 1)


def ledger(settings: Settings) -> list[Spent]:
    """All that was spent, oldest first."""
    path = settings.home.resolve() / LEDGER
    if not path.exists():
        return []
    try:
        return [Spent(**parse_json(line)) for line in path.read_text().splitlines()]
    except (ValueError, TypeError) as error:
        raise IntegrityError(
            f"{path} is not what was written ({error}): restore it; without it nothing is told"
        ) from error


def spent(lines: Sequence[Spent], day: date) -> Fraction:
    """What a day has cost so far."""
    return sum((Fraction(line.epsilon) for line in lines if line.covers(day)), Fraction(0))


def _fraction(epsilon: str) -> Fraction:
    try:
        asked = Fraction(epsilon)
    except (ValueError, ZeroDivisionError):
        asked = Fraction(0)
    if not 0 < asked <= BUDGET:
        raise ConfigError(f"epsilon must be above 0 and at most {BUDGET}, got {epsilon!r}")
    return asked


def _draw(below: int) -> int:
    return secrets.randbelow(below)
