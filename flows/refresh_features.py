"""Hourly: receive landed files and refresh the online features. Publishes nothing."""

from datetime import UTC, date, datetime

from prefect import flow
from prefect.client.schemas import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from flows.scheduled import require_absolute_home
from flows.steps import walk
from matinee import pipeline
from matinee.errors import BusyError
from matinee.settings import Settings


@flow(name="refresh-features")
def refresh_features(last_day: date | None = None) -> State:
    """Refresh the online store up to the end of `last_day`; skipped while a night runs.

    First of all it notifies if no night has published for too long.
    """
    settings = Settings()
    log = get_run_logger()
    require_absolute_home(settings)
    pipeline.live_age(settings, now=datetime.now(UTC), tell=log.warning)
    run = pipeline.NightRun(settings, last_day, tell=log.info)
    try:
        with (
            pipeline.watched(settings, "hourly refresh", tell=log.warning),
            pipeline.lease(settings, "hourly refresh"),
        ):
            walk(run, pipeline.REFRESH_STEPS)
    except BusyError as busy:
        # The night refreshes the features itself.
        return Completed(name="Skipped", message=str(busy))
    return Completed(message=f"features as of {run.night.as_of:%Y-%m-%d %H:%M} UTC")


if __name__ == "__main__":
    refresh_features()
