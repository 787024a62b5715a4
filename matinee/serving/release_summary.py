"""What an operator reads first of a release: its gate, metrics, exposure and trends."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from matinee.errors import DataError
from matinee.releases import Release

TRENDS = {
    "dayparts": "insights/daypart_trends_daily.parquet",
    "genres": "insights/genre_trends_daily.parquet",
}
"""Daily totals; those of too few members are null."""

EVERYONE = "everyone"

RULE = ("rule", "status", "metric", "subject", "text")

EXPOSURE = (
    *("members", "titles_shown", "coverage", "gini", "effective_titles"),
    *("sources", "lift", "providers"),
)

Row = dict[str, Any]


@lru_cache(maxsize=4)
def summary(release: Release) -> Row:
    """The parts of a verified release that have no member in them.

    Raises
    ------
    IntegrityError
        If a file was changed since the release was signed.
    """
    manifest = release.manifest
    gate, exposure = manifest.get("gate", {}), manifest.get("exposure", {})
    metrics = manifest.get("evaluation", {}).get("metrics", [])
    return {
        "release_id": release.id,
        "created_at": manifest["created_at"],
        "as_of": manifest["as_of"],
        "reason": manifest.get("reason"),
        "content_digest": manifest.get("content_digest"),
        "gate": [{name: rule.get(name) for name in RULE} for rule in gate.get("rules", [])],
        "evaluation": manifest.get("evaluation", {}).get("verdict"),
        "metrics": [row for row in metrics if row["cohort"] == EVERYONE],
        "exposure": {name: exposure[name] for name in EXPOSURE if name in exposure},
        "trends": {name: _rows(release, file) for name, file in TRENDS.items()},
    }


def _rows(release: Release, name: str) -> list[Row]:
    """A table as rows; none where an older release has no such table."""
    try:
        rows: list[Row] = release.table(name).to_pylist()
    except DataError:
        return []
    return rows
