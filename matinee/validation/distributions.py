"""Distribution drift: histograms of this week, and their distance from the live release's.

A release publishes its own histograms, so that the next night can be compared with it
after the logs are deleted. They hold no ids, and name no bin of fewer members than insights
may show. No member has more than `MOST_ROWS` rows in a bin, and counts are rounded to `STEP`: what
one member adds or takes away is less than what rounding does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.validation.results import Checked

Histogram = Mapping[str, int]
"""Rows by value."""

FEW = "(few members)"
"""The bin of all values that too few members share."""

MOST_ROWS = 10
"""Rows of one member that are counted in one bin."""

STEP = 20
"""Counts are multiples of it: of twice the most that one member can have in a bin."""

DAYS = 7
"""A week, so that a Saturday is not compared with a Monday."""

FAR = 0.1
"""The distance that warns: that of a new value in 2 % of the rows."""

ENOUGH_ROWS = 200

_EVENTS = """
    with known as (
        select members.member_id
        from members
        where members.may_use_for_insights
    ), events as (
        select member_id, title_id, device, country, event_at, utc_offset_minutes
        from stg_playback__plays
        where landed_on between $first_day and $last_day
        union all
        select member_id, title_id, device, country, event_at, utc_offset_minutes
        from stg_engagement__ratings
        where landed_on between $first_day and $last_day
    ), localised as (
        select
            events.*,
            hour(event_at + to_minutes(coalesce(utc_offset_minutes, 0))) as local_hour
        from events
        inner join known using (member_id)
    )
"""


@dataclass(frozen=True)
class Distribution:
    """A column without ids, as a query of `member_id` and `value`, one row an act."""

    name: str
    query: str
    notes: str

    @property
    def sql(self) -> str:
        """Rows by value, as `value` and `row_count`, capped and rounded; values of few members
        stand together.

        Parameters are `first_day`, `last_day` and `least`, the fewest members of a named bin.
        """
        return f"""
            {self.query}
            , counted as (
                select
                    value,
                    member_id,
                    count(*) as row_count,
                    count(*) over (partition by value) >= $least as is_named
                from binned
                group by value, member_id
            ), capped as (
                select
                    member_id,
                    if(is_named, value, '{FEW}') as value,
                    least(sum(row_count), {MOST_ROWS}) as row_count
                from counted
                group by all
            ), rounded as (
                select
                    value,
                    ((sum(row_count)::bigint + {STEP // 2}) // {STEP}) * {STEP} as row_count
                from capped
                group by value
            )
            select * from rounded
            where row_count > 0
            order by all
        """


def _of_events(name: str, value: str, notes: str, joined: str = "") -> Distribution:
    query = f"{_EVENTS}, binned as (select member_id, {value} as value from localised {joined})"
    return Distribution(name, query, notes)


DISTRIBUTIONS = (
    _of_events(
        "device",
        "coalesce(device, '(unknown)')",
        "A player's new version names its device differently, or one kind of device sends no rows.",
    ),
    _of_events(
        "country",
        "coalesce(country, '(unknown)')",
        "A country's logs are missing, or its members are logged under another country.",
    ),
    _of_events(
        "hour",
        "lpad(local_hour::varchar, 2, '0')",
        "Clocks moved: local times were logged as UTC, or lost their hours.",
    ),
    _of_events(
        "daypart",
        """case
            when local_hour between 5 and 11 then 'morning'
            when local_hour between 12 and 16 then 'afternoon'
            when local_hour between 17 and 21 then 'evening'
            else 'night'
        end""",
        "Evenings became mornings: the offset of the local clock changed its sign.",
    ),
    _of_events(
        "genre",
        "coalesce(genre, '(none)')",
        "The catalogue renamed its genres.",
        "left join titles using (title_id) "
        "left join lateral (select unnest(titles.genres) as genre) on true",
    ),
    Distribution(
        "value",
        """
            with binned as (
                select member_id, rating_kind || ' ' || round(value, 1) as value
                from stg_engagement__ratings
                inner join members using (member_id)
                where may_use_for_insights and landed_on between $first_day and $last_day
            )
        """,
        "Opinions do not turn in a week: the scale or the question on the page has changed.",
    ),
    Distribution(
        "completion",
        """
            with watched as (
                select
                    plays.member_id,
                    plays.watched_seconds
                    / coalesce(plays.runtime_seconds, titles.runtime_seconds) as ratio
                from stg_playback__plays as plays
                inner join members on plays.member_id = members.member_id
                left join titles on plays.title_id = titles.title_id
                where members.may_use_for_insights
                    and plays.landed_on between $first_day and $last_day
            ), binned as (
                select
                    member_id,
                    coalesce((floor(10 * least(ratio, 1)) / 10)::varchar, '(unknown)') as value
                from watched
            )
        """,
        "Plays grew longer or shorter all at once: the counter or the runtime has another unit.",
    ),
)


def distance(one: Histogram, other: Histogram) -> float:
    """The Jensen-Shannon distance of two histograms: 0 the same, 1 nothing in common.

    A value that only one of them names may be among those of few members in the other, if there are
    about as many rows; then it is counted with these, and adds no distance.

    >>> distance({"tv": 3, "phone": 1}, {"tv": 6, "phone": 2})
    0.0
    >>> distance({"tv": 5}, {"phone": 5}), round(distance({"a": 9, "b": 1}, {"a": 5, "b": 5}), 3)
    (1.0, 0.383)
    >>> distance({"tv": 9, "web": 1}, {"tv": 9, FEW: 1})
    0.0
    """
    sides = _folded(one, other), _folded(other, one)
    names = sorted({*sides[0], *sides[1]})
    counts = np.array([[side.get(name, 0) for name in names] for side in sides], np.float64)
    shares = counts / counts.sum(axis=1, keepdims=True)
    safe_shares = np.where(shares > 0, shares, 1.0)
    terms = np.where(shares > 0, shares * np.log2(safe_shares / shares.mean(axis=0)), 0.0)
    return float(np.sqrt(max(terms.sum() / 2, 0.0)))


def noise(one: Histogram, other: Histogram) -> float:
    """The distance that two samples of one distribution have by chance, about.

    Twice the mean of the divergence, (bins - 1) (1/n + 1/m) / (8 ln 2), because events of one
    member are correlated and hold less information than as many of different members. What
    rounding does to a bin of c rows, STEP²/12/c, adds to the bins.
    """
    bins = len(set(one) | set(other))
    sides = sum(
        (bins - 1 + sum(STEP**2 / 12 / rows for rows in side.values() if rows)) / sum(side.values())
        for side in (one, other)
    )
    return float(np.sqrt(2 * sides / (8 * np.log(2))))


def compare(tonight: Mapping[str, Histogram], live: Mapping[str, Histogram]) -> tuple[Checked, ...]:
    """A check with severity warning for each distribution with enough rows on both sides."""
    checks = []
    for distribution in DISTRIBUTIONS:
        here, there = tonight.get(distribution.name, {}), live.get(distribution.name, {})
        if min(sum(here.values()), sum(there.values())) < ENOUGH_ROWS:
            continue
        most = round(FAR + noise(here, there), 4)
        seen = round(distance(here, there), 2)  # published: no finer than the counts are
        checks.append(
            Checked(
                table=f"last {DAYS} days",
                kind="expect_distribution_to_stay_near_live",
                rule={"column": distribution.name, "max_value": most},
                notes=distribution.notes,
                severity="warning",
                success=seen <= most,
                observed=seen,
                unexpected_count=0,
            )
        )
    return tuple(checks)


def _folded(one: Histogram, other: Histogram) -> dict[str, int]:
    """`one` with the values that `other` may hold unnamed put to those of few members."""
    folded = dict(one)
    room = 2 * other.get(FEW, 0) * sum(one.values()) / sum(other.values())
    for name in sorted(set(one) - set(other) - {FEW}, key=lambda name: (one[name], name)):
        if one[name] <= room:
            room -= one[name]
            folded[FEW] = folded.get(FEW, 0) + folded.pop(name)
    return folded
