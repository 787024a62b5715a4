"""Expectations about how a night differs from the nights before it, for suites to use."""

from typing import Any, Literal

_DAYS_TO_COMPARE = 14


def newest_day_between(
    least: float,
    most: float,
    *,
    notes: str,
    severity: Literal["critical", "warning"],
    days_to_know: int = 7,
) -> Any:
    """The rows that landed on a table's newest day, as multiples of the usual day's.

    Usual is the median of up to 14 landed days before. With fewer than `days_to_know` there is
    no habit to break (a new service, a history that landed at once): nothing is expected.
    """
    from great_expectations.expectations.core.unexpected_rows_expectation import (
        UnexpectedRowsExpectation,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

    return UnexpectedRowsExpectation(
        description=f"The newest landed day holds {least:g} to {most:g} times the usual rows.",
        unexpected_rows_query=f"""
            with days as (
                select landed_on, count(*) as row_count from {{batch}} group by landed_on
            ), newest as (
                select landed_on, row_count from days order by landed_on desc limit 1
            ), before as (
                select row_count from days
                where landed_on < (select landed_on from newest)
                order by landed_on desc limit {_DAYS_TO_COMPARE}
            ), usual as (
                select median(row_count) as row_count, count(*) as day_count from before
            )
            select newest.landed_on, newest.row_count, usual.row_count as usual_row_count
            from newest cross join usual
            where usual.day_count >= {days_to_know}
                and newest.row_count not between
                    {least:g} * usual.row_count and {most:g} * usual.row_count
        """,
        notes=notes,
        severity=FailureSeverity(severity),
    )
