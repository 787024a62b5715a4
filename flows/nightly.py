"""Nightly: from the landing zone to a live release. `python -m flows.nightly` runs it now."""

import os
import signal
import sys
from datetime import date
from types import FrameType

from prefect import flow
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL

from flows.steps import walk
from matinee import pipeline
from matinee.errors import InterruptError, MatineeError, StorageError
from matinee.settings import Settings

PATIENCE_SECONDS = 600
"""How long a night waits for another holder of the home, such as the hourly refresh."""


@flow(name="nightly")
def nightly(
    last_day: date | None = None,
    full_refresh: bool = False,
    accept_volume: bool = False,
    accept_erasures: bool = False,
) -> str:
    """Publish a release from all that landed by the end of `last_day`, or of the newest day.

    If another run holds the home, the night waits up to ten minutes for it. With `full_refresh` the
    warehouse is built again from all received rows. With `accept_volume` the night goes on though
    far more or fewer rows landed than usual; with `accept_erasures` it erases though more than one
    in twenty members ask at once.

    Returns the release id. A refused release stays as `candidate` and fails the run.
    """
    settings = Settings()
    log = get_run_logger()
    accept = {"volume": accept_volume, "erasures": accept_erasures}
    accepted = frozenset(name for name, is_accepted in accept.items() if is_accepted)
    run = pipeline.NightRun(settings, last_day, accepted, full_refresh)
    with pipeline.lease(settings, "night", patience_seconds=PATIENCE_SECONDS, tell=log.warning):
        walk(run, pipeline.STEPS)
        run.published.raise_if_refused()
        return run.published.release_id


def stop_at_once() -> None:
    """Let Ctrl-C end the process as a crash would, which leaves a home whole.

    The terminal ends Prefect's temporary server too, and nobody there would hear the state.
    """
    settings = Settings()
    before = pipeline.live_id(settings)

    def stop(number: int, frame: FrameType | None) -> None:
        sys.stderr.write(f"matinee: {pipeline.interrupted(settings, before)}\n")
        os._exit(InterruptError.exit_code)

    signal.signal(signal.SIGINT, stop)


if __name__ == "__main__":
    if PREFECT_API_URL.value() is None:
        stop_at_once()
    try:
        nightly()
    except MatineeError as error:
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(InterruptError.exit_code)
    except OSError:
        sys.exit(StorageError.exit_code)
