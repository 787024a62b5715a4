"""One table of a release's insights, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matinee import releases
from matinee.errors import DataError
from matinee.night.insights.carry import DOCUMENT
from matinee.settings import Settings


@dataclass(frozen=True)
class InsightTable:
    """The rows of a table, and the data that they are of."""

    release_id: str
    as_of: str
    columns: list[str]
    rows: list[dict[str, Any]]


def insight_table(settings: Settings, name: str, *, release: str = "live") -> InsightTable:
    """A table of `insights/` by its name without `.parquet`; no member is named.

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
    table = found.table(f"insights/{name}.parquet")
    as_of = found.json(DOCUMENT)["as_of"]
    return InsightTable(found.id, as_of, table.column_names, table.to_pylist())
