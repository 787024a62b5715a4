"""One table of a release's insights, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matinee import releases
from matinee.columns import MEMBER_ID
from matinee.errors import DataError
from matinee.night.insights.carry import DOCUMENT
from matinee.rights import consent
from matinee.settings import Settings

FILES = {"artwork": "artwork/policy", "churn": "retention/churn", "at-risk": "retention/churn"}
"""Tables that are not in `insights/`."""


@dataclass(frozen=True)
class InsightTable:
    """The rows of a table, and the data that they are of."""

    release_id: str
    as_of: str
    columns: list[str]
    rows: list[dict[str, Any]]


def insight_table(settings: Settings, name: str, *, release: str = "live") -> InsightTable:
    """A table of insights by its name.

    `churn` and `at-risk` name members: those who allow marketing, insights and personalisation
    today. `at-risk` has the members whose slate holds nothing new for them.

    Raises
    ------
    DataError
        If the release is older than these tables.
    """
    found = releases.Store.of(settings.home).open(release)
    if "insights" not in found.manifest:
        raise DataError(
            f"release {found.id} was made before there were insights: `matinee run` makes a new one"
        )
    table = found.table(f"{FILES.get(name, f'insights/{name}')}.parquet")
    rows = table.to_pylist()
    if MEMBER_ID in table.column_names:
        refused = consent.read(settings)
        rows = [
            row
            for row in rows
            if not any(refused.includes(row[MEMBER_ID], one) for one in consent.PURPOSES)
        ]
    if name == "at-risk":
        rows = [row for row in rows if row["is_at_risk"] and not row["new_title_count"]]
    return InsightTable(found.id, found.json(DOCUMENT)["as_of"], table.column_names, rows)
