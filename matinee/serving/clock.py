"""The server's clock: the machine's, or one that was started at another instant."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from matinee.serving.problems import ProblemError

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


def moment(text: str | None, now: datetime) -> datetime:
    """The `at` of a request.

    Raises
    ------
    ProblemError
        400 if it is no instant, or far from any release.
    """
    if text is None:
        return now
    try:
        # A plus in a URL that was not encoded arrives as a space.
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise ProblemError(
            400, f"at must be an instant like 2026-01-31T20:00:00Z (ISO 8601), got {text[:40]!r}"
        ) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if not timedelta(0) <= at - datetime(1990, 1, 1, tzinfo=UTC) < timedelta(days=80_000):
        raise ProblemError(400, f"at must be from 1990 to 2200, got {text[:40]!r}")
    return at
