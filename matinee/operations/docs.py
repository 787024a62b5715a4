"""The dbt documentation site of the project."""

from __future__ import annotations

from pathlib import Path

from matinee import transform
from matinee.settings import Settings


def docs(settings: Settings) -> Path:
    """The dbt documentation site of the project."""
    return transform.docs(
        project=settings.project,
        home=settings.home.resolve(),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )
