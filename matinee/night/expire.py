"""The step that drops what is past its retention, before anything is built from it."""

from __future__ import annotations

from matinee import landing, releases
from matinee.night.night import Night


def drop_expired(night: Night) -> landing.Expired:
    """Drop landing files and received rows past `retention_days`; dbt follows what is left.

    Days count from the night's instant: a night of the past drops what it would have dropped then.
    """
    settings = night.settings
    releases.fence(night.home)
    return landing.drop(
        home=night.home,
        contract=landing.load(settings.project),
        as_of=night.as_of,
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )
