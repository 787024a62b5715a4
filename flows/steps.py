"""Runs steps of a night as Prefect tasks: one task and one log line with a duration per step.

The log of a flow run has a line for each step; what a task logs is in the log of the task run, on
the pages and in the database of Prefect, and not on the console.
"""

import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from prefect import Task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from matinee import pipeline
from matinee.errors import printable


def _table(key: str, rows: list[dict[str, Any]], description: str) -> None:
    if rows:
        create_table_artifact(key=key, table=rows, description=description)


def _dbt_nodes(run: pipeline.NightRun) -> None:
    _table("dbt-nodes", pipeline.nodes(run.night), "Each model, snapshot and test of the build.")


def _validation_report(run: pipeline.NightRun) -> None:
    _table("validation-report", run.validation.rows(), "Each expectation, broken ones first.")


def _evaluation_table(run: pipeline.NightRun) -> None:
    _table("evaluation-table", run.evaluation.rows(), "A line per cohort and metric.")


def _gate_table(run: pipeline.NightRun) -> None:
    verdicts = [*run.evaluation.verdicts, *run.scored.verdicts]
    _table("gate-table", [one.row() for one in verdicts], "Each rule of the gate.")


def _release_card(run: pipeline.NightRun) -> None:
    create_markdown_artifact(key="release-card", markdown=run.published.card())


ARTIFACTS: dict[str, tuple[str, Callable[[pipeline.NightRun], None]]] = {
    "build-warehouse": ("night", _dbt_nodes),
    "validate": ("validation", _validation_report),
    "evaluate": ("evaluation", _evaluation_table),
    "score": ("scored", _gate_table),
    "publish": ("published", _release_card),
}
"""Step name -> an attribute that the run needs, and what makes an artifact; also if it fails."""


ROUTINE = ("Beginning flow run", "Finished in state", "Starting temporary", "Stopping temporary")
"""Starts of messages of Prefect about a run in which nothing went wrong."""


def is_of_interest(record: logging.LogRecord) -> bool:
    """Whether a record is not Prefect's routine; warnings and errors always are."""
    return record.levelno > logging.INFO or not str(record.msg).startswith(ROUTINE)


for _name in ("prefect", "prefect.flow_runs"):
    logging.getLogger(_name).addFilter(is_of_interest)
logging.getLogger("prefect.task_runs").propagate = False  # Prefect's own handler stays


def walk(run: pipeline.NightRun, steps: Iterable[pipeline.Step]) -> None:
    """Run steps in order, each as a task of the calling flow."""
    log = get_run_logger()
    for step in steps:
        started = time.monotonic()
        note = Task(_without_arguments(run, step), name=step.name, cache_policy=NO_CACHE)()
        seconds = time.monotonic() - started
        _show("")
        first = note.partition("\n")[0]
        log.info(f"{step.title}: {seconds:.1f} s{f'; {first}' if first else ''}")


def _without_arguments(run: pipeline.NightRun, step: pipeline.Step) -> Callable[[], str]:
    """The step as a function without arguments, because Prefect copies the arguments of a task."""

    def call() -> str:
        try:
            note = step.run(run, _quarters(step.title))
            if "\n" in note:
                get_run_logger().info(note)
            return note
        finally:
            attribute, create = ARTIFACTS.get(step.name, ("", None))
            if create and hasattr(run, attribute):
                create(run)

    return call


def _quarters(title: str) -> pipeline.Progress:
    """Log the progress of a long step at each quarter."""
    log, reached = get_run_logger(), 0

    def advance(done: int, total: int, name: str) -> None:
        nonlocal reached
        _show(f"{title}: {done} of {total}, {name}")
        quarter = 4 * done // total if total else 0
        if reached < quarter < 4:
            reached = quarter
            log.info(f"{title}: {done} of {total}, {name}")

    return advance


def _show(text: str) -> None:
    """Replace the line that a terminal shows below the log; nothing elsewhere."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[2K{printable(text)[:width]}")
        sys.stderr.flush()
