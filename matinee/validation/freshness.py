"""Expectations about the instants of a table, beside that of the night, for suites to use."""

from typing import Any

from matinee.validation.queries import no_row

_DAYS_IN_A_ROW = 7


def lands_as_before(*, notes: str) -> Any:
    """A table that landed rows on each of the last 7 days did so on the night's last day too.

    With fewer than 7 days of history, on every day there is, of three at least. Rows that were
    all rejected, or repeats of older ones, are not rows here: they are missed as well.
    """
    return no_row(
        "At least 1 row landed on the last day of the night, if some landed on each of the 7 days "
        "before (with less history: on every day of 3 at least).",
        f"""
            with days as (
                select distinct landed_on from {{batch}}
            ), before as (
                select count(*) as day_count, min(landed_on) as first_day
                from days, night
                where landed_on between last_day - {_DAYS_IN_A_ROW} and last_day - 1
            )
            select last_day as missed_on, day_count as days_in_a_row_before
            from before, night
            where not exists (from days where landed_on = last_day)
                and day_count >= 3
                and day_count = least({_DAYS_IN_A_ROW}, last_day - (
                    select min(landed_on) from days
                ))
        """,
        notes=notes,
        severity="warning",
    )


def newest_within(days: int, *, notes: str) -> Any:
    """The newest snapshot is so fresh."""
    return no_row(
        f"The newest snapshot landed at most {days} days before the last day of the night.",
        f"""
            select max(landed_on) as landed_on
            from {{batch}}, night
            group by last_day
            having max(landed_on) < last_day - {days}
        """,
        notes=notes,
        severity="warning",
    )


def none_from_the_future() -> Any:
    """No feature that was knowable only after the night's instant."""
    return no_row(
        "No observed_at is later than the instant of the night.",
        """
            select observed_at
            from {batch}, night
            where observed_at > as_of
            order by observed_at
        """,
        notes="A feature is later than the night: a model would learn from the future. "
        "Cause: the warehouse was built for a later day, or received_at of the source runs ahead. "
        "Action: run once with --full-refresh; if it comes back, correct the clock of the source.",
        severity="critical",
    )


def keeps_up_with(*tables: str) -> Any:
    """Features that end no more than two days before the events that they are made of."""
    events = " union all ".join(f"select received_at from {table}" for table in tables)
    return no_row(
        f"The newest observed_at is at most 2 days before the newest event of "
        f"{' and '.join(tables)}.",
        f"""
            with newest as (
                select max(received_at) as received_at
                from ({events}), night
                where received_at < as_of
            )
            select max(observed_at) as observed_at, received_at
            from {{batch}}, newest
            group by received_at
            having max(observed_at) < received_at - interval 2 day
        """,
        notes="New events arrive and this table has none of them: an incremental build left "
        "rows out.",
        severity="warning",
    )
