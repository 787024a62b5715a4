"""What later releases show of this one: few numbers, and how each table's checks ended."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matinee.evaluation.names import CHOSEN_WEIGHTS, DEFAULT_WEIGHTS, EVERYONE, HYBRID
from matinee.report.formatting import Row

LENGTH = 14
"""Releases and nights that a page shows, its own among them."""

STATES = ("passed", "info", "warning", "accepted", "stopped")
"""How an expectation ended, best first. A critical one that failed was accepted by an operator
if the night was published, and stopped the night if not."""


def published_first(metrics: Iterable[Row]) -> list[Row]:
    """Rows of metrics, those of the published lists before those of baselines and variants."""
    return sorted(metrics, key=lambda row: row["model"] != HYBRID)


def numbers(manifest: Mapping[str, Any]) -> Row:
    """as_of, and metric -> mean, low, high of the release's model and of its exposure."""
    evaluation = manifest.get("evaluation") or {}
    metrics = evaluation.get("metrics") or []
    if evaluation.get("is_full") is False:  # they are of an earlier release
        metrics = []
    exposure = manifest.get("exposure") or {}
    values: dict[str, Any] = {
        row["metric"]: {name: row[name] for name in ("mean", "low", "high")}
        for row in metrics
        if (row["model"], row["cohort"]) == (HYBRID, EVERYONE) and row["mean"] is not None
    }
    values |= {
        row["metric"]: {
            **{name: row[name] for name in ("mean", "low", "high")},
            "best_baseline": row["best_mean"],
        }
        for row in forward_rows(manifest)
    }
    plain = {name: exposure.get(name) for name in ("effective_titles", "coverage", "gini")}
    plain |= {f"popularity lift, {row['group']}": row["lift"] for row in exposure.get("lift") or []}
    values |= {
        name: {"mean": value, "low": None, "high": None}
        for name, value in plain.items()
        if value is not None
    }
    return {"as_of": manifest["as_of"], "metrics": values}


def forward_rows(manifest: Mapping[str, Any]) -> list[Row]:
    """The published lists of a forward test by metric, beside the best baseline.

    Returns
    -------
    rows of metric, mean, low, high, n, best, best_mean, chosen_weights, default_weights
    """
    test = manifest.get("forward_test") or {}
    means = {(row["metric"], row["model"]): row["mean"] for row in test.get("metrics") or []}
    return [
        {
            **{name: row[name] for name in ("metric", "mean", "low", "high", "n")},
            "best": test["best"][row["metric"]],
            "best_mean": means[row["metric"], test["best"][row["metric"]]],
            **{
                name: means.get((row["metric"], name)) for name in (CHOSEN_WEIGHTS, DEFAULT_WEIGHTS)
            },
        }
        for row in test.get("metrics") or []
        if row["model"] == HYBRID
    ]


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
