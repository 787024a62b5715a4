"""Runs steps of a night as Prefect tasks: one task and one log line with a duration per step."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from prefect import Task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from matinee import pipeline

ARTIFACTS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "validate": (
        "validation",
        lambda result: create_table_artifact(key="validation-report", table=result.rows()),
    ),
    "evaluate": (
        "judged",
        lambda result: create_table_artifact(key="gate-table", table=result.rows()),
    ),
    "publish": (
        "published",
        lambda result: create_markdown_artifact(key="release-card", markdown=result.card()),
    ),
}
"""Step name -> attribute of the run and how to make an artifact of it, also if the step fails."""


def walk(run: pipeline.NightRun, steps: Iterable[pipeline.Step]) -> None:
    """Run steps in order, each as a task of the calling flow."""
    log = get_run_logger()
    for step in steps:
        started = time.monotonic()
        note = Task(_without_arguments(run, step), name=step.name, cache_policy=NO_CACHE)()
        seconds = time.monotonic() - started
        log.info(f"{step.title}: {seconds:.1f} s{f'; {note}' if note else ''}")


def _without_arguments(run: pipeline.NightRun, step: pipeline.Step) -> Callable[[], str]:
    """The step as a function without arguments, because Prefect copies the arguments of a task."""

    def call() -> str:
        try:
            return step.call(run, _quarters(step.title))
        finally:
            attribute, create = ARTIFACTS.get(step.name, ("", None))
            if create and hasattr(run, attribute):
                create(getattr(run, attribute))

    return call


def _quarters(title: str) -> pipeline.Progress:
    """Log the progress of a long step at each quarter."""
    log, reached = get_run_logger(), 0

    def advance(done: int, total: int, name: str) -> None:
        nonlocal reached
        quarter = 4 * done // total if total else 0
        if reached < quarter < 4:
            reached = quarter
            log.info(f"{title}: {done} of {total}, {name}")

    return advance
