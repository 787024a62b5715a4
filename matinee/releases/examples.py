"""Example slates, similar titles and the metrics of earlier releases, for the pages of a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from matinee import releases
from matinee.columns import MEMBER_ID, PLACES, RANK, REASON, SOURCE, TITLE_ID
from matinee.slates import ai_labels

if TYPE_CHECKING:
    pass


HYBRID = "hybrid"

Row = dict[str, Any]

NEIGHBOURS = 5

WELL_KNOWN = 6

TREND_GENRES = 6

TREND_DAYS = 60

HISTORY = 14


def slates(folder: Path, wanted: Sequence[str]) -> list[Row]:
    """The top of some members' slates, with title names."""
    titles = _titles(folder)
    shown = []
    for member in wanted:
        slate = pq.read_table(folder / "slates", filters=[(MEMBER_ID, "=", member)])
        rows = [
            {**titles[row[TITLE_ID]], RANK: row[RANK], REASON: row[REASON]}
            for row in slate.slice(0, PLACES).to_pylist()
        ]
        source = slate[SOURCE][0].as_py() if len(slate) else None
        shown.append({MEMBER_ID: member, SOURCE: source, "rows": rows})
    return shown


def neighbourhoods(folder: Path) -> list[Row]:
    """The nearest titles of the titles in most top-10 places."""
    titles = _titles(folder)
    first = pq.read_table(folder / "slates", filters=[(RANK, "<=", PLACES)], columns=[TITLE_ID])
    counts = first.group_by(TITLE_ID).aggregate([(TITLE_ID, "count")])
    order = [(f"{TITLE_ID}_count", "descending"), (TITLE_ID, "ascending")]
    best = counts.sort_by(order)[TITLE_ID].slice(0, WELL_KNOWN).to_pylist()
    near = pq.read_table(folder / "similar")
    shown = []
    for title in best:
        mine = near.filter(pc.equal(near[TITLE_ID], title)).slice(0, NEIGHBOURS).to_pylist()
        rows = [{**titles[row["similar_title_id"]], RANK: row[RANK]} for row in mine]
        if rows:
            shown.append({"name": titles[title]["name"], "rows": rows})
    return shown


def history(store: releases.Store, fields: Mapping[str, Any]) -> list[Row]:
    """The hybrid's metrics over the last releases, oldest first, this one last."""
    return numbers([*(one.manifest for one in reversed(store.list()[: HISTORY - 1])), fields])


def exposures(store: releases.Store, fields: Mapping[str, Any]) -> list[Row]:
    """Exposure metrics of the last releases, oldest first, this one last."""
    manifests = [*(one.manifest for one in reversed(store.list()[: HISTORY - 1])), fields]
    wanted = ("effective_titles", "gini", "coverage")
    values = [
        {"as_of": one["as_of"], "metric": name, "mean": found[name], "low": None, "high": None}
        for one in manifests
        for found in [one.get("exposure") or {}]
        for name in wanted
        if name in found
    ]
    lifts = [
        {
            "as_of": one["as_of"],
            "metric": f"lift_of_{row['group']}_tastes",
            "mean": row["lift"],
            "low": None,
            "high": None,
        }
        for one in manifests
        for row in (one.get("exposure") or {}).get("lift", [])
    ]
    return values + lifts


def numbers(manifests: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The hybrid's metrics of each manifest, in their order."""
    return [
        {"as_of": one["as_of"], **{name: row[name] for name in ("metric", "mean", "low", "high")}}
        for one in manifests
        for row in one["evaluation"]["metrics"]
        if row["model"] == HYBRID and row["cohort"] == "everyone"
    ]


def _titles(folder: Path) -> dict[str, Row]:
    columns = [TITLE_ID, "name", "released_on", "ai_use", "ai_disclosure"]
    titles = {}
    for row in pq.read_table(folder / "vocabulary/titles.parquet", columns=columns).to_pylist():
        label = ai_labels.labelled_name(row["name"], row.pop("ai_use"), row.pop("ai_disclosure"))
        titles[row.pop(TITLE_ID)] = {**row, "name": label}
    return titles
