"""Runs steps of a night as Prefect tasks: one task, one log line and one duration a step."""

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
        lambda found: create_table_artifact(key="validation-report", table=found.rows()),
    ),
    "evaluate": (
        "judged",
        lambda found: create_table_artifact(key="gate-table", table=found.rows()),
    ),
    "publish": (
        "published",
        lambda found: create_markdown_artifact(key="release-card", markdown=found.card()),
    ),
}
"""Step name -> the result that it shows in Prefect, and how; also when the night stops at it."""


def walk(run: pipeline.NightRun, steps: Iterable[pipeline.Step]) -> None:
    """Run steps in order, each as a task of the flow that calls this."""
    log = get_run_logger()
    for step in steps:
        started = time.monotonic()
        note = Task(_without_arguments(run, step), name=step.name, cache_policy=NO_CACHE)()
        seconds = time.monotonic() - started
        log.info(f"{step.title}: {seconds:.1f} s{f'; {note}' if note else ''}")


def _without_arguments(run: pipeline.NightRun, step: pipeline.Step) -> Callable[[], str]:
    """The step as a task may call it: Prefect copies the arguments of a task."""

    def call() -> str:
        try:
            return step.call(run, _quarters(step.title))
        finally:
            result, show = ARTIFACTS.get(step.name, ("", None))
            if show and hasattr(run, result):
                show(getattr(run, result))

    return call


def _quarters(title: str) -> pipeline.Progress:
    """Log how far long work is, at each quarter of it."""
    log, reached = get_run_logger(), 0

    def advance(done: int, total: int, name: str) -> None:
        nonlocal reached
        quarter = 4 * done // total if total else 0
        if reached < quarter < 4:
            reached = quarter
            log.info(f"{title}: {done} of {total}, {name}")

    return advance
