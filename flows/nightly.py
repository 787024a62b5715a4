"""Nightly: from the landing zone to a live release. `python -m flows.nightly` runs it now."""

import os
import signal
import sys
from datetime import date
from types import FrameType

from prefect import flow
from prefect.client.schemas import State
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed

from flows.scheduled import flow_run_id, mark_crashed, require_absolute_home
from flows.steps import walk
from matinee import pipeline
from matinee.errors import InterruptError, MatineeError, StorageError
from matinee.settings import Settings, unknown_variables

PATIENCE_SECONDS = 600
"""How long a night waits for another holder of the lease, such as the hourly refresh."""


@flow(name="nightly")
def nightly(
    last_day: date | None = None,
    full_refresh: bool = False,
    accept_volume: bool = False,
    accept_erasures: bool = False,
    full_evaluation: bool = False,
) -> State[str]:
    """Publish a release from all that landed by the end of `last_day`, or of the newest day.

    If another run holds the lease, the night waits up to ten minutes. With `full_refresh` the
    warehouse is built again from all received rows. With `accept_volume` the night continues
    although far more or fewer rows landed than usual. With `accept_erasures` it erases members
    although more than 5 % request it at once. With `full_evaluation` it evaluates every model and
    chooses weights anew.

    Returns the release id; the state's message names it. A refused release becomes `candidate` and
    fails the run.
    """
    settings = Settings()
    log = get_run_logger()
    for warning in unknown_variables(os.environ):
        log.warning(warning)
    options = {"volume": accept_volume, "erasures": accept_erasures}
    accepted = frozenset(name for name, is_set in options.items() if is_set)
    run = pipeline.NightRun(
        settings, last_day, accepted, full_refresh, log.info, full_evaluation=full_evaluation
    )
    require_absolute_home(settings)
    with pipeline.recorded(
        run, flow_run=flow_run_id(), patience_seconds=PATIENCE_SECONDS, tell=log.warning
    ) as dead:
        mark_crashed(dead)
        walk(run, pipeline.STEPS)
        run.published.raise_if_refused()
    return Completed(message=run.published.note, data=run.published.release_id)


def stop_at_once() -> None:
    """Let Ctrl-C end the process at once, as a crash would; a crash leaves a home intact.

    The terminal stops Prefect's temporary server too, so the final state could not be reported.
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
