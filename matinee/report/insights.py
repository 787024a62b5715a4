"""The sections for marketing and content: segments, momentum, demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from matinee.provenance import document
from matinee.report import charts, interval_charts
from matinee.report.formatting import Row, show
from matinee.report.interval_charts import percent_change, times

TABLES = ("segments", "momentum", "demand", "narratives", "searches")
"""Files of `insights/` that have no ids of members."""

SHOWN = 10
"""Rows of a chart."""

SHARES = {"member_ratio": "model1", "watched_ratio": "model0"}

WORDS = {
    "genre": "Genres",
    "theme": "Themes",
    "narrative": "Narratives",
    "person": "People",
    "language": "Languages",
    "country": "Countries of origin",
}
"""Families of attributes as headings."""

DIRECTIONS = {"rising": "model1", "falling": "model0", "steady": "model3"}

VERDICTS = {"high": "model1", "low": "model0", "even": "model3"}

NARRATIVE_VERDICTS = {"better": "model1", "worse": "model0", "as its parts": "model3"}

Data = dict[str, Any]


def sections(folder: Path) -> dict[str, Data | None]:
    """The data of each section, None where the release has none."""
    tables = {name: read(folder, name) for name in TABLES}
    facts = about(folder)
    return {
        "segments": _segments(tables["segments"], facts),
        "momentum": _momentum(tables["momentum"], facts),
        "demand": _demand(tables, facts),
    }


def read(folder: Path, name: str) -> list[Row]:
    """The rows of one table of `insights/`; none in a release without it."""
    path = folder / f"insights/{name}.parquet"
    if not path.is_file():
        return []
    rows: list[Row] = pq.read_table(path).to_pylist()
    return rows


def about(folder: Path) -> Mapping[str, Any]:
    """When the results were computed, and facts of each analysis; nothing in an older release."""
    path = folder / "insights/insights.json"
    return document(path.read_bytes(), path, "verify the release") if path.is_file() else {}


def _segments(rows: Sequence[Row], about: Mapping[str, Any]) -> Data | None:
    if not rows:
        return None
    named = [{**row, "place": f"Segment {row['segment']}"} for row in rows]
    facts = about.get("segments") or {}
    return {
        "as_of": about["as_of"][:10],
        "members": facts.get("members"),
        "changed": facts.get("changed_ratio"),
        "stability": [
            {"segments": int(k), "stability": score, "chosen": int(k) == len(rows)}
            for k, score in (facts.get("stability") or {}).items()
        ],
        "cards": named,
        "chart": charts.dumbbells(
            named, name="place", fields=SHARES, description="Shares of members and of viewing"
        ),
        "rows": rows,
    }


def _momentum(rows: Sequence[Row], about: Mapping[str, Any]) -> Data | None:
    if not rows:
        return None
    tested = [row for row in rows if row["p"] is not None and row["family"] != "all"]
    moved = [row for row in tested if row["direction"] in ("rising", "falling")]
    first = sorted(tested, key=lambda row: row["p"])[:SHOWN]
    points = [
        {
            "name": f"{row['value']}, {row['measure']}",
            "value": 1 + row["change"],
            "low": 1 + row["low"],
            "high": 1 + row["high"],
            "kind": row["direction"],
        }
        for row in first
    ]
    return {
        "week_on": rows[0]["week_on"],
        "tested": len(tested),
        "total": [_level(row) for row in rows if row["family"] == "all"],
        "moved": [
            {**row, "words": percent_change(1 + row["change"])}
            for row in sorted(moved, key=lambda row: row["p"])
        ],
        "chart": _ratios(points, DIRECTIONS, percent_change, "Change against the week before"),
        "weeks": [
            (row["value"], _last(row), _sparkline(row))
            for row in sorted(_of_hours(tested), key=lambda row: row["p"])[:SHOWN]
        ],
        "rows": [_without_weeks(row) for row in rows],
    }


def _demand(tables: Mapping[str, Sequence[Row]], about: Mapping[str, Any]) -> Data | None:
    rows, narratives, searches = (tables[name] for name in ("demand", "narratives", "searches"))
    if not rows and not searches:
        return None
    everywhere = [row for row in rows if row["country"] == "all" and row["p"] is not None]
    found = []
    for family, heading in WORDS.items():
        first = sorted(
            (row for row in everywhere if row["family"] == family), key=lambda row: row["p"]
        )[:SHOWN]
        points = [
            {
                "name": row["value"],
                "value": row["demand"],
                "low": row["low"],
                "high": row["high"],
                "kind": row["verdict"],
            }
            for row in sorted(first, key=lambda row: -row["demand"])
        ]
        if points:
            chart = _ratios(points, VERDICTS, times, "Share of hours by share of titles")
            found.append((heading, chart))
    facts = about.get("demand") or {}
    return {
        "until": about["until"],
        "weeks": facts.get("weeks"),
        "high": [row for row in everywhere if row["verdict"] == "high"],
        "low": [row for row in everywhere if row["verdict"] == "low"],
        "charts": found,
        "narratives": _narratives(narratives),
        "narrative_rows": narratives,
        "searches": searches,
        "misses": about.get("searches") or {},
        "rows": rows,
    }


def _narratives(rows: Sequence[Row]) -> Any:
    first = sorted(rows, key=lambda row: row["wrong_sign"])[:SHOWN]
    points = [
        {
            "name": row["value"],
            "value": 1 + row["effect"],
            "low": 1 + row["low"],
            "high": 1 + row["high"],
            "kind": row["verdict"],
        }
        for row in sorted(first, key=lambda row: -row["effect"])
    ]
    words = "Hours of a title with both themes, against what its parts predict"
    return _ratios(points, NARRATIVE_VERDICTS, percent_change, words)


def _ratios(points: Sequence[Row], kinds: Mapping[str, str], words: Any, description: str) -> Any:
    if not points:
        return None
    return interval_charts.ratios(points, kinds=kinds, words=words, description=description)


def _of_hours(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["measure"] == "hours"]


def _level(row: Row) -> Row:
    before = row["level_before"]
    change = None if before in (None, 0) else percent_change(row["level"] / before)
    return {"measure": row["measure"], "text": _written(row, row["level"]), "change": change}


def _last(row: Row) -> str:
    return _written(row, row["level"])


def _written(row: Row, level: float) -> str:
    if row["measure"] == "completion":
        return show(level, "completion_ratio")
    return f"{show(round(level))} h" if row["measure"] == "hours" else show(round(level))


def _sparkline(row: Row) -> Any:
    known = [week for week in row["weeks"] if week is not None]
    text = f"{row['value']}: {show(known[0])} to {show(known[-1])} hours a week"
    return charts.sparkline(row["weeks"], description=text)


def _without_weeks(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "weeks"}
