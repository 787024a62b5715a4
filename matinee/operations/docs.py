"""Builds the dbt documentation site."""

from __future__ import annotations

from pathlib import Path

from matinee import transform
from matinee.settings import Settings


def docs(settings: Settings) -> Path:
    """Build the dbt documentation site of the project; return the path of its first page."""
    return transform.docs(
        project=settings.project,
        home=settings.home.resolve(),
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )
