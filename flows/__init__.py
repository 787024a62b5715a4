"""WHEN: one file per flow, each a list of steps. What a step does is in `matinee.pipeline`."""

import matinee  # noqa: F401  # first, because it switches telemetry off before Prefect is imported
