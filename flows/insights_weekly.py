"""Weekly: computes what marketing and content read, before the night that would do it."""

from datetime import date

from prefect import flow
from prefect.client.schemas import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from flows.scheduled import require_absolute_home
from flows.steps import walk
from matinee import pipeline
from matinee.errors import BusyError
from matinee.settings import Settings


@flow(name="insights-weekly")
def insights_weekly(last_day: date | None = None) -> State:
    """Leave the results of the newest closed weeks to the next night; skipped while one runs."""
    settings = Settings()
    log = get_run_logger()
    require_absolute_home(settings)
    run = pipeline.NightRun(settings, last_day, tell=log.info)
    try:
        with (
            pipeline.watched(settings, "weekly insights", tell=log.warning),
            pipeline.lease(settings, "weekly insights"),
        ):
            walk(run, pipeline.REFRESH_STEPS)
            until = pipeline.compute_weekly(run.night)
    except BusyError as busy:
        # The night computes them itself.
        return Completed(name="Skipped", message=str(busy))
    return Completed(message=f"insights until {until}" if until else "insights are up to date")


if __name__ == "__main__":
    insights_weekly()
