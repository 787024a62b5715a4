"""Expectations about how much landed, beside the days before, for suites to use."""

from typing import Any

from matinee.validation.queries import Severity, no_row

_DAYS_TO_COMPARE = 14

# Below, a quiet day or a busy one is chance.
_ROWS_TO_MISS = 20
_ROWS_TOO_MANY = 100

_BURST = 0.3

VOLUME = "volume"
"""What `matinee run --accept-volume` accepts."""

_NEWEST_DAY = f"""
    with days as (
        select landed_on, count(*) as row_count from {{batch}} group by landed_on
    ), newest as (
        select landed_on, row_count from days order by landed_on desc limit 1
    ), before as (
        select row_count from days
        where landed_on < (select landed_on from newest)
        order by landed_on desc limit {_DAYS_TO_COMPARE}
    ), usual as (
        select
            median(row_count) as row_count,
            max(row_count) as most_rows,
            count(*) as day_count
        from before
    )
    select newest.landed_on, newest.row_count, usual.row_count as usual_row_count
    from newest cross join usual
"""


def newest_day_at_most(
    times: float,
    *,
    notes: str,
    severity: Severity = "critical",
    days_to_know: int = 7,
) -> Any:
    """The rows of a table's newest landed day, at most so many times the usual day's.

    Usual is the median of up to 14 landed days before. Some services come in bursts, so the day
    must also stand out by 0.3 of that beside the largest of them: five times the usual day and half
    as much again as any. With fewer than `days_to_know` days there is no habit to break (a new
    service, a history that landed at once).
    """
    return no_row(
        f"The newest landed day has at most {times:g} times the rows of a usual day, the median "
        f"of up to {_DAYS_TO_COMPARE} landed days before.",
        f"""{_NEWEST_DAY}
            where usual.day_count >= {days_to_know}
                and newest.row_count >= {_ROWS_TOO_MANY}
                and newest.row_count >= {times:g} * usual.row_count
                and newest.row_count > {_BURST * times:g} * usual.most_rows
        """,
        notes=notes,
        severity=severity,
        accepts=VOLUME,
    )


def newest_day_at_least(
    part: float,
    *,
    notes: str,
    severity: Severity,
    days_to_know: int = 7,
) -> Any:
    """The rows of a table's newest landed day, more than such a part of the usual day's."""
    return no_row(
        f"The newest landed day has more than {part:g} times the rows of a usual day, the median "
        f"of up to {_DAYS_TO_COMPARE} landed days before.",
        f"""{_NEWEST_DAY}
            where usual.day_count >= {days_to_know}
                and usual.row_count >= {_ROWS_TO_MISS}
                and newest.row_count <= {part:g} * usual.row_count
        """,
        notes=notes,
        severity=severity,
        accepts=VOLUME,
    )
