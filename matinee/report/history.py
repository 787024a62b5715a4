"""What later releases show of this one: few numbers, and how each table's checks ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from matinee.report.formatting import Row

MODEL, COHORT = "hybrid", "everyone"
LENGTH = 14
"""Releases and nights that a page shows, its own among them."""

STATES = ("passed", "info", "warning", "accepted", "stopped")
"""How an expectation ended, best first. A critical one that failed was accepted by an operator
if the night was published, and stopped the night if not."""


def numbers(manifest: Mapping[str, Any]) -> Row:
    """as_of, and metric -> mean, low, high of the release's model and of its exposure."""
    metrics = (manifest.get("evaluation") or {}).get("metrics") or []
    exposure = manifest.get("exposure") or {}
    values = {
        row["metric"]: {name: row[name] for name in ("mean", "low", "high")}
        for row in metrics
        if (row["model"], row["cohort"]) == (MODEL, COHORT) and row["mean"] is not None
    }
    plain = {name: exposure.get(name) for name in ("effective_titles", "coverage", "gini")}
    plain |= {f"popularity lift, {row['group']}": row["lift"] for row in exposure.get("lift") or []}
    values |= {
        name: {"mean": value, "low": None, "high": None}
        for name, value in plain.items()
        if value is not None
    }
    return {"as_of": manifest["as_of"], "metrics": values}


def states(results: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Table -> state -> number of its expectations in that state, the worst first."""
    counts: dict[str, Counter[str]] = {}
    for row in results:
        counts.setdefault(row["table"], Counter())[_state(row)] += 1
    return {
        table: {state: found[state] for state in reversed(STATES) if found[state]}
        for table, found in counts.items()
    }


def _state(row: Row) -> str:
    if row["success"] is True:
        return "passed"
    known = {"stopped": "stopped", "critical": "accepted", "warning": "warning"}
    return known.get(row["severity"], "info")
