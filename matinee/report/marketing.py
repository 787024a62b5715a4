"""The sections for marketing and retention: artwork by segment, and who may cancel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from matinee.report import interval_charts
from matinee.report.formatting import Row, label
from matinee.report.insights import about as about_insights
from matinee.report.insights import read
from matinee.report.interval_charts import percent_change

SHOWN = 12
"""Rows of a chart."""

LEAST_MEMBERS = 20
"""Fewer members at risk are not counted."""

Data = dict[str, Any]

KINDS = {"more": "model0", "less": "model1"}


def sections(folder: Path) -> dict[str, Data | None]:
    """The data of each section, None where the release has none."""
    about = about_insights(folder)
    return {"artwork": _artwork(folder, about), "churn": _churn(folder, about)}


def _rows(file: Path) -> list[Row]:
    rows: list[Row] = pq.read_table(file).to_pylist() if file.is_file() else []
    return rows


def _artwork(folder: Path, about: Mapping[str, Any]) -> Data | None:
    rows, facts = _rows(folder / "artwork/policy.parquet"), about.get("artwork") or {}
    if not rows:
        return None
    names = {row["title_id"]: row["name"] for row in _rows(folder / "vocabulary/titles.parquet")}
    segments = {row["segment"]: row["name"] for row in read(folder, "segments")}
    named = [
        {
            "title": names.get(row["title_id"], row["title_id"]),
            "segment": segments.get(row["segment"], "all members"),
            "kind": row["asset_kind"],
            "asset": row["asset_id"],
            "shown_ratio": row["probability"],
            "take_rate": row["take_rate"],
            "take_rate_low": row["take_rate_low"],
            "take_rate_high": row["take_rate_high"],
            "verdict": row["verdict"],
            "basis": row["basis"],
            "changed_on": row["changed_on"],
        }
        for row in rows
    ]
    best = [row for row in named if row["verdict"] == "best"]
    return {
        "as_of": about["as_of"][:10],
        "impressions": facts.get("impressions"),
        "best": sorted(best, key=lambda row: (row["title"], row["segment"])),
        "value": facts.get("value") or {},
        "not_servable": facts.get("not_servable"),
        "audit": facts.get("audit") or [],
        "notable": [row for row in facts.get("audit") or [] if row["is_notable"]],
        "rows": [row for row in named if row["basis"] != "uniform"],
    }


def _churn(folder: Path, about: Mapping[str, Any]) -> Data | None:
    facts = about.get("churn") or {}
    if not facts.get("renewals"):
        return None
    members = _rows(folder / "retention/churn.parquet")
    risk = [row for row in members if row["is_at_risk"]]
    without = [row for row in risk if not row["new_title_count"]]
    held_out = facts.get("held_out") or {}
    return {
        "as_of": about["as_of"][:10],
        **{name: facts[name] for name in ("verdict", "renewals", "cancellations", "lead_days")},
        "supported": facts["verdict"] == "supported",
        "at_risk": len(risk) if len(risk) >= LEAST_MEMBERS else None,
        "nothing_new": len(without) if len(without) >= LEAST_MEMBERS else None,
        "chart": _drivers(facts.get("coefficients") or {}),
        "scores": held_out.get("scores") or [],
        "calibration": held_out.get("calibration") or [],
    }


def _drivers(coefficients: Mapping[str, float]) -> Any:
    """Odds ratios: how the odds to cancel change with one standard deviation more of a sign."""
    rows: Sequence[Row] = [
        {
            "name": label(name),
            "value": math.exp(value),
            "low": None,
            "high": None,
            "kind": "more" if value > 0 else "less",
        }
        for name, value in list(coefficients.items())[:SHOWN]
    ]
    if not rows:
        return None
    return interval_charts.ratios(
        rows,
        kinds=KINDS,
        words=percent_change,
        description="Odds to cancel, with one standard deviation more",
    )
