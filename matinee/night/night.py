"""One night: what is fixed when it starts, and the steps from raw logs to features.

Each step is a plain function that takes the night, does one thing, and returns small facts.
`flows/nightly.py` and `pipeline.run` put them in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from matinee import landing
from matinee.errors import ConfigError
from matinee.settings import Settings

SETTINGS = ("lateness_days", "slate_size", "calibration_weight", "consent_without_record")
"""What an operator may set that changes the content; the seed is beside them in a manifest."""


@dataclass(frozen=True)
class Night:
    """What every step of one night agrees on.

    `as_of` is the instant at the end of the last day that counts: an event counts when it was
    received before it.
    `started_at` is the only time that comes from a clock.
    """

    settings: Settings
    as_of: datetime
    started_at: datetime
    accepted: frozenset[str] = frozenset()
    """What an operator has looked at and accepted, of `volume` and `erasures`."""
    published_histograms: tuple[str, Mapping[str, Any]] | None = None
    """Those that a rebuild publishes again, with the release that they are of."""

    @property
    def home(self) -> Path:
        return self.settings.home.resolve()

    @property
    def last_day(self) -> date:
        return (self.as_of - timedelta(days=1)).date()

    def work(self, name: str) -> Path:
        """A folder for what one step leaves to the next; emptied by `begin`."""
        return self.settings.folder("work") / name


def begin(
    settings: Settings, last_day: date | None = None, *, accepted: frozenset[str] = frozenset()
) -> Night:
    """Fix the instant of the night: the end of `last_day`, by default of the newest landed day.

    Raises
    ------
    DataError
        If no catalogue, or no play and no rating, was ever received.
    ConfigError
        If that day has not begun yet (features of the future would be served for ever), or is
        nowhere near the days that have landed.
    """
    started_at = datetime.now(UTC)
    landing.require_history(settings.home.resolve())
    first, newest = landing.landed_days(settings.home.resolve())
    last_day = last_day or newest
    if clock := landing.wrong_clock(started_at.date(), [newest]):
        raise ConfigError(f"{clock}, then run again")
    if last_day > started_at.date():
        raise ConfigError(
            f"the night's last day is {last_day} and today is {started_at:%Y-%m-%d} (UTC): a dt "
            f"folder is named wrongly, or --as-of is; a night needs a day that has begun"
        )
    if not first <= last_day <= newest + timedelta(days=settings.lateness_days):
        raise ConfigError(
            f"the night's last day is {last_day} and logs have landed from {first} to {newest}: "
            f"choose a day of these, or land the logs of that one"
        )
    return Night(
        settings=settings,
        as_of=datetime.combine(last_day + timedelta(days=1), time(), tzinfo=UTC),
        started_at=started_at,
        accepted=accepted,
    )
