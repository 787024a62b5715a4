"""The server's clock: the machine's, or one that was started at another instant."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """Ticks as the machine's clock does, some seconds away from it."""

    seconds_ahead: float = 0.0

    @classmethod
    def starting(cls, instant: datetime | None) -> Clock:
        """A clock that is at an instant now."""
        return cls(0.0 if instant is None else instant.timestamp() - time.time())

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.seconds_ahead, UTC)
