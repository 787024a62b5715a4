"""Differentially private counts, paid for out of a privacy budget that each day has once.

A release contains exact counts of 20 members or more, for the operator of the service. Counts for
other readers come from here: members by genre and closed day, small cells included, with noise that
hides what one member did on one day. Each call spends some of the budget of the days it covers.
Spent budget is never restored: the ledger of it has a witness beside it, and one in each release
that was published since, and without its lines no counts are returned.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from matinee import durable, releases, warehouse
from matinee.errors import ConfigError, IntegrityError, MatineeError, RefusedError
from matinee.provenance import canonical_json, document, parse_json
from matinee.releases import files, lease
from matinee.rights import noise
from matinee.settings import Settings

LEDGER = "privacy/budget.jsonl"
WITNESS = "privacy/budget.json"
"""The number of lines of the ledger and their sha256, as of the last call."""

BUDGET = Fraction(1)
"""Total epsilon of one day: for example two calls of 1/2, or ten of 1/10."""

LEAST_EPSILON = Fraction(1, 1000)
MOST_DAYS = 3660

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
    if not 1 <= days <= MOST_DAYS:
        raise ConfigError(f"days must be 1 to {MOST_DAYS}, got {days}")
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
            durable.replace(home / WITNESS, canonical_json(witness(settings)))
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
    """Every line of the budget ledger, oldest first.

    Raises
    ------
    IntegrityError
        If a line is none, or lines are gone that the ledger had before.
    """
    home = settings.home.resolve()
    path, lines = home / LEDGER, _lines(home)
    cure = "restore it; no counts are returned without it"
    try:
        entries = [_entry(line) for line in lines]
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"{path} is not a valid ledger ({error}): {cure}") from error
    for source, known in _witnesses(settings):
        if not _agrees(lines, known):
            raise IntegrityError(
                f"{path} has {len(lines)} lines and not those of which {source} tells: {cure}"
            )
    return entries


def witness(settings: Settings) -> dict[str, Any]:
    """The number of lines of the budget ledger, and the sha256 of their bytes."""
    lines = _lines(settings.home.resolve())
    return {"lines": len(lines), "sha256": _sha256(lines)}


def _lines(home: Path) -> list[bytes]:
    path = home / LEDGER
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def _entry(line: bytes) -> BudgetEntry:
    entry = BudgetEntry(**parse_json(line))
    date.fromisoformat(entry.first_day), date.fromisoformat(entry.last_day)
    if not 0 < Fraction(entry.epsilon) <= BUDGET:
        raise ValueError(entry.epsilon)
    return entry


def _witnesses(settings: Settings) -> Iterator[tuple[str, Any]]:
    """What is known of the ledger elsewhere, each with where that is."""
    path = settings.home.resolve() / WITNESS
    if path.exists():
        yield str(path), document(path.read_bytes(), path, "restore it")
    for release in releases.Store.of(settings.home).list():
        try:
            known = (release.manifest.get("privacy") or {}).get("budget")
        except MatineeError:  # damaged, as `matinee releases verify` says
            continue
        if known:
            yield f"the manifest of {release.id}", known


def _agrees(lines: Sequence[bytes], known: Any) -> bool:
    """Whether a ledger begins with the lines that somebody knows."""
    try:
        count, sha256 = int(known["lines"]), known["sha256"]
    except (KeyError, TypeError, ValueError):
        return False
    return count <= len(lines) and _sha256(lines[:count]) == sha256


def _sha256(lines: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(lines)).hexdigest()


def spent_budget(lines: Sequence[BudgetEntry], day: date) -> Fraction:
    """The budget of a day that is spent so far."""
    return sum((Fraction(line.epsilon) for line in lines if line.covers(day)), Fraction(0))


def _parse_epsilon(epsilon: str) -> Fraction:
    parsed = Fraction(0)
    if re.fullmatch(r"[0-9]{0,9}(\.[0-9]{1,9})?|[0-9]{1,9}/0*[1-9][0-9]{0,8}", epsilon) and epsilon:
        parsed = Fraction(epsilon)
    if not 0 < parsed <= BUDGET:
        raise ConfigError(f"epsilon must be above 0 and at most {BUDGET}, got {epsilon!r}")
    if parsed < LEAST_EPSILON:
        raise ConfigError(f"epsilon must be {LEAST_EPSILON} or more, got {epsilon!r}")
    return parsed


def _random_below(below: int) -> int:
    return secrets.randbelow(below)
