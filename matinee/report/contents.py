"""What the page shows of a release's own files: slates, similar titles, checks, daily counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee.columns import MEMBER_ID, RANK, REASON, SOURCE, TITLE_ID
from matinee.provenance import document
from matinee.report.formatting import Row
from matinee.slates import ai_labels

SLATE_LENGTH = 10
SIMILAR_LENGTH = 5
SIMILAR_TITLES = 6
GENRES = 6
GENRE_DAYS = 60
RETENTION_DAYS = 14


def slates(folder: Path, members: Sequence[str]) -> list[Row]:
    """The first ten titles of each member's slate: member_id, source, rows: rank, name, ..."""
    titles = _titles(folder)
    found: list[Row] = []
    for member in members:
        slate = pq.read_table(folder / "slates", filters=[(MEMBER_ID, "=", member)])
        rows = slate.sort_by(RANK).slice(0, SLATE_LENGTH).to_pylist()
        found.append(
            {
                MEMBER_ID: member,
                SOURCE: rows[0][SOURCE] if rows else None,
                "rows": [
                    {**_title(titles, row[TITLE_ID]), RANK: row[RANK], REASON: row[REASON]}
                    for row in rows
                ],
            }
        )
    return found


def similar_titles(folder: Path) -> list[Row]:
    """The nearest neighbours of the titles that are in most top tens: name, rows: rank, name."""
    if not (folder / "similar").is_dir():
        return []
    titles = _titles(folder)
    top = pq.read_table(folder / "slates", filters=[(RANK, "<=", SLATE_LENGTH)], columns=[TITLE_ID])
    counts = top.group_by(TITLE_ID).aggregate([(TITLE_ID, "count")])
    order = [(f"{TITLE_ID}_count", "descending"), (TITLE_ID, "ascending")]
    shown = counts.sort_by(order)[TITLE_ID].slice(0, SIMILAR_TITLES)
    near = pq.read_table(folder / "similar").sort_by(RANK)
    found: list[Row] = []
    for title in shown.to_pylist():
        rows = near.filter(pc.equal(near[TITLE_ID], title)).slice(0, SIMILAR_LENGTH).to_pylist()
        if rows:
            neighbours = [
                {**_title(titles, row["similar_title_id"]), RANK: row[RANK]} for row in rows
            ]
            found.append({"name": _title(titles, title)["name"], "rows": neighbours})
    return found


def validation_results(folder: Path, manifest: Mapping[str, Any]) -> list[Row]:
    """Every expectation and what was observed; those that compare with the live release last."""
    path = folder / "validation/results.json"
    if not path.exists():
        return []
    drift = ((manifest.get("validation") or {}).get("drift") or {}).get("results") or []
    return [*document(path.read_bytes(), path, "verify the release")["results"], *drift]


def genre_trends(folder: Path, as_of: date) -> list[Row]:
    """Plays per day of the biggest genres, or ratings in logs without plays: name, day, value."""
    path = folder / "insights/genre_trends_daily.parquet"
    if not path.exists():
        return []
    since = as_of - timedelta(days=GENRE_DAYS)
    rows = pq.read_table(path, filters=[("acted_on", ">=", since)])
    counts = pc.coalesce(rows["play_count"], rows["rating_count"])
    days = pa.table({"name": rows["genre"], "day": rows["acted_on"], "value": counts}).drop_null()
    sums = days.group_by("name").aggregate([("value", "sum")])
    biggest = sums.sort_by([("value_sum", "descending"), ("name", "ascending")])
    names = biggest["name"].slice(0, GENRES).combine_chunks()
    kept = days.filter(pc.is_in(days["name"], value_set=names))
    found: list[Row] = kept.sort_by([("name", "ascending"), ("day", "ascending")]).to_pylist()
    return found


def retention(folder: Path) -> list[Row]:
    """Subscription events of the last days, newest first."""
    path = folder / "retention/churn_daily.parquet"
    if not path.exists():
        return []
    table = pq.read_table(path).sort_by([("changed_on", "descending")])
    rows: list[Row] = table.slice(0, RETENTION_DAYS).to_pylist()
    return rows


def _titles(folder: Path) -> dict[str, Row]:
    """Name, year and AI label of each title; releases of early versions have names only."""
    path = folder / "vocabulary/titles.parquet"
    wanted = (TITLE_ID, "name", "released_on", "ai_use", "ai_disclosure")
    known = set(pq.read_schema(path).names)
    rows = pq.read_table(path, columns=[one for one in wanted if one in known]).to_pylist()
    return {
        row[TITLE_ID]: {
            "name": ai_labels.labelled_name(
                row["name"], row.get("ai_use"), row.get("ai_disclosure")
            ),
            "year": str(row.get("released_on") or "")[:4],
        }
        for row in rows
    }


def _title(titles: Mapping[str, Row], title_id: str) -> Row:
    return titles.get(title_id) or {"name": title_id, "year": ""}
