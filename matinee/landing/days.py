"""Which landed days can be true: the newest one is the night's, so a folder named wrongly moves it.

A night months ahead would find every window empty, and drop what is not past its retention yet.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from itertools import pairwise

WEEK = timedelta(days=7)
"""A silence that is not worth a word."""

DAYS_TO_KNOW = 7
"""Landed days before there is a habit to break."""

GAPS_TO_COMPARE = 14

NO_EARLIER = date(2024, 1, 1)
"""No clock that is right says an earlier day: this program was written later."""


def misnamed(
    new: Collection[date], known: Collection[date], *, today: date | None, last_day: date | None
) -> Mapping[date, str]:
    """Days on which hardly anything can have landed, each with the reason and what to do.

    A day that has not begun is one. So is a day after a silence of more than a week and more than
    twice as long as each of the 14 before it, unless the operator named a last day as late as that.

    Parameters
    ----------
    new
        Days of files that were never received.
    known
        Days of received ones: these are true.
    today
        The day on which the run started; None asks nothing about days to come.
    last_day
        The last day of the night, when a person named it.
    """
    if today and (clock := wrong_clock(today, known)):
        return dict.fromkeys({*new} - {*known}, clock)
    reasons: dict[date, str] = {}
    landed: list[date] = []
    for day in sorted({*new, *known}):
        if day not in known and (reason := _doubt(day, landed, today, last_day)):
            reasons[day] = reason
        else:
            landed.append(day)
    return reasons


def wrong_clock(today: date, known: Collection[date]) -> str | None:
    """Why the day of this machine cannot be true, and what to do; None when it can."""
    before = "this program was written" if today < NO_EARLIER else ""
    if known and today < max(known):
        before = before or f"{max(known)}, a day that was received already"
    if not before:
        return None
    return f"this machine's clock says {today}, which is before {before}: set the clock"


def _doubt(day: date, landed: list[date], today: date | None, last_day: date | None) -> str | None:
    if today and day > today:
        return f"its day has not begun, for today is {today} (UTC): rename its folder"
    if len(landed) < DAYS_TO_KNOW or (last_day and day <= last_day):
        return None
    gaps = [later - earlier for earlier, later in pairwise(landed[-GAPS_TO_COMPARE - 1 :])]
    silence = day - landed[-1]
    if silence <= max(WEEK, 2 * max(gaps)):
        return None
    return (
        f"its day is {silence.days} days after {landed[-1]}, the newest before it: rename its"
        f" folder, or, if it is the truth, run with `--as-of {day}`"
    )
