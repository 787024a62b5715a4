"""The server's clock: the machine's, or one that was started at another instant."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FURTHEST = timedelta(days=400)
"""Ahead of a simulated clock."""


@dataclass(frozen=True)
class Clock:
    """Ticks as the machine's clock does, some seconds away from it."""

    seconds_ahead: float = 0.0
    is_simulated: bool = False
    """Whether it was started at another instant; then clients may say when they send events."""

    @classmethod
    def starting(cls, instant: datetime | None) -> Clock:
        """A clock that is at an instant now."""
        if instant is None:
            return cls()
        return cls(instant.timestamp() - time.time(), is_simulated=True)

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.seconds_ahead, UTC)

    def received(self, at: datetime | None) -> datetime:
        """When events arrive that a client sends at a simulated instant: never before now.

        Raises
        ------
        ValueError
            If the clock is the machine's, or the instant is too far ahead of it.
        """
        now = self.now()
        if at is None:
            return now
        if not self.is_simulated:
            raise ValueError(
                "`at` is for a server that was started with --now: elsewhere its own clock says "
                "when events are received"
            )
        if at > now + FURTHEST:
            raise ValueError(f"`at` is more than {FURTHEST.days} days after the server's clock")
        return max(at, now)
