"""Differentially private counts, paid for out of a privacy budget that each day has once.

A release contains exact counts of 20 members or more, for the operator of the service. Counts for
other readers come from here: members by genre and closed day, small cells included, with noise that
hides what one member did on one day. Each call spends some of the budget of the days it covers.
Spent budget is never restored.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from matinee import releases, warehouse
from matinee.errors import ConfigError, IntegrityError, RefusedError
from matinee.provenance import canonical_json, parse_json
from matinee.releases import files, lease
from matinee.rights import noise
from matinee.settings import Settings

LEDGER = "privacy/budget.jsonl"

BUDGET = Fraction(1)
"""Total epsilon of one day: for example two calls of 1/2, or ten of 1/10."""

MAX_GENRES_PER_DAY = 3
"""One member counts in at most this many genres a day, once in each: the sensitivity."""

EXACT_COUNTS = """
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
        from int_events__closed as acts
        inner join title_genres as genres using (title_id)
        where cast(acts.event_at as date) between $first::date and $last::date

    ),

    bounded as (

        -- Which genres count depends on the member alone, not on other members.
        select * from member_genres
        qualify row_number() over (
            partition by member_id, day
            order by md5(member_id || '/' || day || '/' || genre)
        ) <= $most

    ),

    cells as (

        -- All cells, empty ones too: a missing cell would reveal that its count is zero.
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
class BudgetEntry:
    """One line of the budget ledger."""

    at: str
    by: str
    epsilon: str
    """A fraction or a decimal."""
    first_day: str
    last_day: str

    def covers(self, day: date) -> bool:
        return self.first_day <= day.isoformat() <= self.last_day


@dataclass(frozen=True)
class NoisyCounts:
    """Members by day and genre with noise, and the budget spent."""

    epsilon: str
    scale: str
    """Scale of the Laplace noise: the expected absolute error of a count, about."""
    left: str
    """Budget left of the day with the least."""
    rows: list[Row]


def noisy_counts(
    settings: Settings, epsilon: str, days: int, *, at: datetime, by: str
) -> NoisyCounts:
    """Members who watched or rated each genre on each of the last closed days, with noise.

    Raises
    ------
    RefusedError
        If the budget of a day is too small: nothing is returned and nothing is spent.
    """
    cost = _parse_epsilon(epsilon)
    last = last_closed_day(settings)
    first = last - timedelta(days=days - 1)
    covered = [first + timedelta(days=number) for number in range(days)]
    home = settings.home.resolve()
    with lease(home, name="budget", wait_seconds=10):
        lines = read_ledger(settings)
        left = {day: BUDGET - spent_budget(lines, day) for day in covered}
        poorest = min(covered, key=lambda day: (left[day], day))
        if left[poorest] < cost:
            raise RefusedError(
                f"{poorest} has {left[poorest]} of its privacy budget of {BUDGET} left and "
                f"{epsilon} is requested: request less, or days that are not published yet"
            )
        exact = exact_counts(settings, first, last)
        line = BudgetEntry(at.isoformat(), by, str(cost), first.isoformat(), last.isoformat())
        path = home / LEDGER
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.storage_errors(path):
            files.append(path, canonical_json(asdict(line)))  # before a count is returned
    scale = MAX_GENRES_PER_DAY / cost
    rows = [
        {**row, "member_count": row["member_count"] + noise.discrete_laplace(scale, _random_below)}
        for row in exact
    ]
    return NoisyCounts(str(cost), str(scale), str(left[poorest] - cost), rows)


def exact_counts(settings: Settings, first: date, last: date) -> list[Row]:
    """Counts without noise, each member in at most `MAX_GENRES_PER_DAY`. Never publish them."""
    parameters = {"first": first, "last": last, "most": MAX_GENRES_PER_DAY}
    rows: list[Row] = warehouse.query(
        EXACT_COUNTS, parameters, home=settings.home.resolve()
    ).to_pylist()
    return rows


def last_closed_day(settings: Settings) -> date:
    """The last closed day of the live release: late events can no longer change it."""
    as_of = datetime.fromisoformat(releases.Store.of(settings.home).open("live").manifest["as_of"])
    return as_of.date() - timedelta(days=settings.lateness_days + 1)


def read_ledger(settings: Settings) -> list[BudgetEntry]:
    """Every line of the budget ledger, oldest first."""
    path = settings.home.resolve() / LEDGER
    if not path.exists():
        return []
    try:
        return [BudgetEntry(**parse_json(line)) for line in path.read_text().splitlines()]
    except (ValueError, TypeError) as error:
        raise IntegrityError(
            f"{path} is not a valid ledger ({error}): restore it; no counts are returned without it"
        ) from error


def spent_budget(lines: Sequence[BudgetEntry], day: date) -> Fraction:
    """The budget of a day that is spent so far."""
    return sum((Fraction(line.epsilon) for line in lines if line.covers(day)), Fraction(0))


def _parse_epsilon(epsilon: str) -> Fraction:
    try:
        parsed = Fraction(epsilon)
    except (ValueError, ZeroDivisionError):
        parsed = Fraction(0)
    if not 0 < parsed <= BUDGET:
        raise ConfigError(f"epsilon must be above 0 and at most {BUDGET}, got {epsilon!r}")
    return parsed


def _random_below(below: int) -> int:
    return secrets.randbelow(below)
