"""Prefect flows: one file per flow, each a list of steps of `matinee.pipeline`."""

import os

import matinee  # noqa: F401  # first: it disables telemetry before Prefect is imported

# Read by Prefect when it is imported: a line of a console begins with its time and its level.
for _kind in ("STANDARD_FLOW_RUN_FMT", "STANDARD_TASK_RUN_FMT", "STANDARD_FORMAT"):
    os.environ.setdefault(
        f"PREFECT_LOGGING_FORMATTERS_{_kind}", "%(asctime)s %(levelname)-7s %(message)s"
    )
os.environ.setdefault("PREFECT_LOGGING_FORMATTERS_STANDARD_DATEFMT", "%H:%M:%S")
