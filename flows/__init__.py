"""When things run: Prefect flows, each a list of steps."""

import matinee  # noqa: F401  # first, because it switches telemetry off before Prefect is imported
