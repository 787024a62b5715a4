"""Holding the home for one night: who waits for whom, and what a Ctrl-C comes to."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from matinee import releases
from matinee.errors import BusyError, InterruptError, StorageError
from matinee.settings import Settings

POLL_SECONDS = 5.0
"""How often a night that waits for another looks again."""

FULL = (
    "No space left on device",
    "Disk quota exceeded",
    "database or disk is full",
    "failed to offload data block",
)
"""What the system, SQLite and DuckDB say of a full disk."""

Tell = Callable[[str], None]


@contextmanager
def lease(
    settings: Settings,
    holder: str = "",
    *,
    patience_seconds: float = 0,
    tell: Tell = lambda said: None,
) -> Iterator[None]:
    """Hold the home for one night.

    Parameters
    ----------
    holder
        What it is held for, for whoever is kept out.
    patience_seconds
        How long to wait for another holder; `tell` hears who it is, once for each.

    Raises
    ------
    BusyError
        If another still holds it then, by name.
    InterruptError
        If somebody pressed Ctrl-C while it was held; says what became of live.
    StorageError
        If the disk became full.
    """
    with ExitStack() as stack:
        _wait_for(settings.home.resolve(), stack, holder, patience_seconds, tell)
        before = live_id(settings)
        pressed = stack.enter_context(_noted())
        try:
            yield
        except BaseException as error:
            # Each library has its own word for a Ctrl-C, and for a full disk: DuckDB makes a
            # RuntimeError of the first, dbt a result, Great Expectations a finding.
            if pressed or isinstance(error, KeyboardInterrupt):
                raise interrupted(settings, before) from None
            said = " ".join(str(error).split())
            if isinstance(error, Exception) and any(words in said for words in FULL):
                raise StorageError(f"the disk is full: make room and run again ({said})") from error
            raise


def live_id(settings: Settings) -> str | None:
    """The id of the release that serving follows, if there is one."""
    live = releases.Store.of(settings.home).aliases().live
    return live.release_id if live else None


def interrupted(settings: Settings, before: str | None) -> InterruptError:
    """What to tell somebody who pressed Ctrl-C when `before` was live."""
    now = live_id(settings)
    return InterruptError(f"interrupted; live {'unchanged' if now == before else f'is {now}'}")


def _wait_for(
    home: Path, stack: ExitStack, holder: str, patience_seconds: float, tell: Tell
) -> None:
    deadline, told = time.monotonic() + patience_seconds, ""
    while True:
        try:
            stack.enter_context(releases.lease(home, holder=holder))
            return
        except BusyError as busy:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            if str(busy) != told:
                told = str(busy)
                tell(f"waiting up to {left:.0f} s: {told}")
            time.sleep(min(POLL_SECONDS, left))


@contextmanager
def _noted() -> Iterator[list[int]]:
    """The Ctrl-Cs pressed so far; each still does what it did before."""
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed  # only the main thread hears signals
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
