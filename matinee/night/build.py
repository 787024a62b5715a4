"""Builds and tests the warehouse with dbt, then exports the feature tables for Feast."""

from __future__ import annotations

from typing import Any

from matinee import landing, releases, transform, warehouse
from matinee.errors import IntegrityError
from matinee.night import reconcile
from matinee.night.night import Night
from matinee.progress import Progress
from matinee.rights import erase


def build(
    night: Night, *, full_refresh: bool = False, progress: Progress | None = None
) -> transform.Built:
    """Build and test the warehouse with dbt, then export the feature tables for Feast.

    Raises
    ------
    IntegrityError
        When rows received are not staged + rejected + exact repeats.
    RefusedError
        When a dbt test fails, or a stream's rejected rows are over their budget.
    """
    settings = night.settings
    releases.fence(night.home)
    stale = [night.home / mark for mark in (erase.STALE_MARKER, landing.withdrawals.MARK)]
    try:
        built = transform.build(
            project=settings.project,
            home=night.home,
            as_of=night.as_of,
            threads=settings.threads,
            memory_limit=settings.memory_limit,
            vars={
                "consent_without_record": settings.consent_without_record,
                "lateness_days": settings.lateness_days,
            },
            full_refresh=full_refresh or any(mark.exists() for mark in stale),
            progress=progress,
            query=lambda sql: warehouse.query(sql, home=night.home).to_pylist(),
        )
    except IntegrityError:
        reconcile.reconcile(night.home)  # dbt names its test, this the stream and the file
        raise
    reconcile.reconcile(night.home)
    reconcile.hold_to_budget(
        night.home,
        settings.project,
        last_day=night.last_day,
        days=settings.lateness_days + 1,
    )
    warehouse.export_features(night.home)
    for mark in stale:
        mark.unlink(missing_ok=True)
    return built


def nodes(night: Night) -> list[dict[str, Any]]:
    """A row a dbt node of tonight's build, failed or not: kind, status, seconds, rows, failures."""
    results = transform.node_results(night.home, since=night.started_at)
    if not results:
        return []
    sizes = warehouse.row_counts(night.home)
    return [{**one, "rows": sizes.get(one["node"])} for one in results]
