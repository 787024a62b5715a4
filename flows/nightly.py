"""Nightly: from the landing zone to a live release. `python -m flows.nightly` runs it now."""

import os
import signal
import sys
from datetime import date
from types import FrameType

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL
from prefect.task_runners import ThreadPoolTaskRunner

from matinee import pipeline
from matinee.errors import InterruptError, MatineeError, StorageError
from matinee.settings import Settings

PATIENCE_SECONDS = 600
"""How long a night waits for another holder of the home, such as the hourly refresh."""


def told(what: str) -> pipeline.Progress:
    """Say in the run's log how far long work is, at each quarter of it."""
    log, reached = get_run_logger(), 0

    def step(done: int, total: int, name: str) -> None:
        nonlocal reached
        quarter = 4 * done // total if total else 0
        if quarter > reached:
            reached = quarter
            log.info(f"{what}: {done} of {total}, {name}")

    return step


@task
def receive(
    settings: Settings, last_day: date | None, accepted: frozenset[str]
) -> pipeline.Receipt:
    tell = get_run_logger().info
    return pipeline.receive(settings, last_day=last_day, accepted=accepted, tell=tell)


@task
def drop_expired(night: pipeline.Night) -> pipeline.Expired:
    expired = pipeline.drop_expired(night)
    if expired.streams:
        get_run_logger().info(expired.summary())
    return expired


@task
def build_warehouse(night: pipeline.Night) -> pipeline.Built:
    return pipeline.build(night, progress=told("dbt"))


@task
def validate(night: pipeline.Night) -> pipeline.Validation:
    validation = pipeline.validate(night)
    create_table_artifact(key="validation-report", table=validation.rows())
    pipeline.stop_if_broken(night, validation)
    return validation


@task
def validate_frame(night: pipeline.Night) -> pipeline.Validation:
    validation = pipeline.validate_frame(night)
    pipeline.stop_if_broken(night, validation)
    return validation


@task
def refresh_features(night: pipeline.Night) -> pipeline.Refreshed:
    refreshed = pipeline.refresh_features(night)
    if refreshed.skipped_because:
        get_run_logger().warning(refreshed.skipped_because)
    return refreshed


@task
def frame(night: pipeline.Night) -> pipeline.Framed:
    framed = pipeline.frame(night)
    get_run_logger().info(framed.summary())
    return framed


@task
def choose_trend(night: pipeline.Night) -> None:
    pipeline.choose_trend(night)


@task(task_run_name="fit-{frame}-{model}")
def fit(night: pipeline.Night, frame: str, model: str) -> None:
    pipeline.fit(night, frame, model, told(f"epochs of the {frame} model"))


@task
def judge(night: pipeline.Night) -> pipeline.Judged:
    judged = pipeline.judge(night)
    create_table_artifact(key="gate-table", table=judged.rows())
    return judged


@task
def score(night: pipeline.Night) -> pipeline.Scored:
    return pipeline.score(night)


@task
def validate_slates(night: pipeline.Night) -> pipeline.Validation:
    validation = pipeline.validate_slates(night)
    pipeline.stop_if_broken(night, validation)
    return validation


@task
def publish(night: pipeline.Night, evidence: pipeline.Evidence) -> pipeline.Published:
    published = pipeline.publish(night, evidence)
    get_run_logger().info(published.note)
    create_markdown_artifact(key="release-card", markdown=published.card())
    return published


@flow(name="nightly", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def nightly(
    last_day: date | None = None, accept_volume: bool = False, accept_erasures: bool = False
) -> str:
    """Publish a release from all that landed by the end of `last_day`, or of the newest day.

    If another run holds the home, the night waits up to ten minutes for it. With `accept_volume` it
    goes on though far more or fewer rows landed than usual; with `accept_erasures` it erases though
    more than one in twenty members ask at once.

    Returns the release id. A refused release stays as `candidate` and fails the run.
    """
    settings = Settings()
    log = get_run_logger()
    with pipeline.lease(settings, "night", patience_seconds=PATIENCE_SECONDS, tell=log.warning):
        asked = {"volume": accept_volume, "erasures": accept_erasures}
        accepted = frozenset(name for name, is_accepted in asked.items() if is_accepted)
        receipt = receive(settings, last_day, accepted)
        night = pipeline.begin(settings, last_day, accepted=accepted)
        expired = drop_expired(night)
        built = build_warehouse(night)
        validation = validate(night)
        refreshed = refresh_features(night)
        framed = frame(night)
        validation += validate_frame(night)
        fits = [fit.submit(night, *wanted) for wanted in pipeline.FITS]
        for fitted in fits:
            fitted.result()
        choose_trend(night)
        judged = judge(night)
        scored = score(night)
        validation += validate_slates(night)
        published = publish(
            night,
            pipeline.Evidence(
                receipt, expired, built, validation, refreshed, framed, judged, scored
            ),
        )
        published.raise_if_refused()
        return published.release_id


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
