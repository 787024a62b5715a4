"""The lease of a home for one night: waiting for another holder, and handling Ctrl-C."""

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
"""Parts of the messages of the system, SQLite and DuckDB on a full disk."""

Tell = Callable[[str], None]


@contextmanager
def lease(
    settings: Settings,
    holder: str = "",
    *,
    patience_seconds: float = 0,
    tell: Tell = lambda message: None,
) -> Iterator[None]:
    """Hold the home for one night.

    Parameters
    ----------
    holder
        The purpose, which the error of another process shows.
    patience_seconds
        How long to wait for another holder; `tell` is called with its name, once for each.

    Raises
    ------
    BusyError
        If another still holds it then, by name.
    InterruptError
        If Ctrl-C was pressed while it was held; names the live release.
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
            # Libraries report a Ctrl-C and a full disk in different ways: DuckDB raises a
            # RuntimeError for the first, dbt returns a result, Great Expectations a finding.
            if pressed or isinstance(error, KeyboardInterrupt):
                raise interrupted(settings, before) from None
            message = " ".join(str(error).split())
            if isinstance(error, Exception) and any(words in message for words in FULL):
                raise StorageError(
                    f"the disk is full: make room and run again ({message})"
                ) from error
            raise


def live_id(settings: Settings) -> str | None:
    """The id of the release that serving follows, if there is one."""
    live = releases.Store.of(settings.home).aliases().live
    return live.release_id if live else None


def interrupted(settings: Settings, before: str | None) -> InterruptError:
    """The error after a Ctrl-C; `before` is the release that was live at the start."""
    now = live_id(settings)
    return InterruptError(f"interrupted; live {'unchanged' if now == before else f'is {now}'}")


def _wait_for(
    home: Path, stack: ExitStack, holder: str, patience_seconds: float, tell: Tell
) -> None:
    deadline, reported = time.monotonic() + patience_seconds, ""
    while True:
        try:
            stack.enter_context(releases.lease(home, holder=holder))
            return
        except BusyError as busy:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            if str(busy) != reported:
                reported = str(busy)
                tell(f"waiting up to {left:.0f} s: {reported}")
            time.sleep(min(POLL_SECONDS, left))


@contextmanager
def _noted() -> Iterator[list[int]]:
    """The Ctrl-Cs pressed so far; each still does what it did before."""
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed  # only the main thread receives signals
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
