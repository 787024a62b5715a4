"""Prefect flows: one file per flow, each a list of steps of `matinee.pipeline`."""

import matinee  # noqa: F401  # first: it disables telemetry before Prefect is imported
