"""The data of each section of the page. A section without data is None and is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee.report import charts, contents, figures, history, insights, marketing
from matinee.report.formatting import Row, label, show, unique

TITLES = {
    "gate": "Release gate",
    "evaluation": "Evaluation",
    "exposure": "Exposure",
    "slates": "Example slates",
    "similar": "Similar titles",
    "rows": "Input rows",
    "files": "Input files",
    "expiry": "Data expiry",
    "validation": "Validation",
    "segments": "Audience segments",
    "momentum": "What is rising and falling",
    "demand": "Demand and supply",
    "artwork": "Artwork by segment",
    "churn": "Who may cancel",
    "trends": "Genres by day",
    "retention": "Member retention",
    "history": "Metrics over releases",
    "provenance": "Provenance",
}
"""Sections in the order of the page; each has a template of its name."""

PROVENANCE = (
    "code",
    "environment",
    "determinism",
    "settings",
    "dbt",
    "features",
    "model",
    "privacy",
    "authenticity",
)
"""Fields of the manifest that its section shows as they are."""

Data = dict[str, Any]


def of_release(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Data]:
    """Every section that has data, from a release's folder and manifest."""
    earlier = manifest.get("history") or {}
    as_of = manifest["as_of"]
    found = {
        "gate": _gate(manifest),
        "evaluation": _evaluation(manifest),
        "exposure": exposure(manifest),
        "slates": _some(members=contents.slates(folder, manifest.get("samples") or [])),
        "similar": _some(titles=contents.similar_titles(folder)),
        "rows": _rows(manifest),
        "files": _some(
            quarantined=manifest.get("set_aside") or [], warnings=manifest.get("warnings") or []
        ),
        "expiry": _some(streams=manifest.get("dropped") or []),
        "validation": validation(
            contents.validation_results(folder, manifest),
            as_of=as_of,
            nights=earlier.get("validation") or [],
            drift=((manifest.get("validation") or {}).get("drift") or {}).get("verdict"),
        ),
        **insights.sections(folder),
        **marketing.sections(folder),
        "trends": _trends(contents.genre_trends(folder, datetime.fromisoformat(as_of).date())),
        "retention": _some(days=contents.retention(folder)),
        "history": _history([*(earlier.get("releases") or []), history.numbers(manifest)]),
        "provenance": _provenance(manifest),
    }
    return {name: data for name, data in found.items() if data}


def validation(
    results: Sequence[Row], *, as_of: str | datetime, nights: Sequence[Row], drift: str | None
) -> Data | None:
    """Failed expectations, all of them, and how each table ended, night by night.

    Parameters
    ----------
    nights : as_of, tables: as `history.states` makes them; oldest first, without this night
    """
    if not results:
        return None
    rows = [
        {
            "table": row["table"],
            "expectation": _expectation(row),
            "passed": row["success"] is True,
            "severity": row["severity"],
            "observed": row["observed"],
            "notes": row["notes"],
        }
        for row in results
    ]
    columns = [*nights, {"as_of": as_of, "tables": history.states(results)}]
    tables = unique(table for night in columns for table in night["tables"])
    return {
        "rows": rows,
        "failed": [row for row in rows if not row["passed"]],
        "drift": drift,
        "days": [show(night["as_of"])[:10] for night in columns],
        "tables": {
            table: [_worst(night["tables"].get(table)) for night in columns]
            for table in sorted(tables)
        },
    }


def facts(manifest: Mapping[str, Any], sections: Mapping[str, Data]) -> dict[str, str]:
    """The few figures that a reader looks for first: name -> text."""
    shown = manifest.get("exposure") or {}
    found = {"data as of": show(manifest["as_of"])[:16].removesuffix(" 00:00")}
    for name, value in (
        ("members", shown.get("members")),
        ("titles", (manifest.get("model") or {}).get("titles")),
        ("coverage", shown.get("coverage")),
        ("effective_titles", shown.get("effective_titles")),
    ):
        if value is not None:
            found[label(name)] = show(value, name)
    if "rows" in sections:
        totals = sections["rows"]["totals"]
        found["rows received"] = show(totals["received"])
        share = totals["rejected"] / totals["received"] if totals["received"] else 0.0
        found["rows rejected"] = show(share, "rejected_ratio")
    if "validation" in sections:
        rows = sections["validation"]["rows"]
        passed = sum(row["passed"] for row in rows)
        found["expectations passed"] = f"{show(passed)} of {show(len(rows))}"
    return found


def gate(manifest: Mapping[str, Any]) -> Data:
    """Every rule, the names of those that failed, and the overrides."""
    found = manifest.get("gate") or {}
    rules = found.get("rules") or []
    failed = [rule["rule"] for rule in rules if rule["passed"] is not True]
    return {
        "rules": rules,
        "failed": failed,
        "warned": sum(rule.get("status") == "WARN" for rule in rules),
        "overrides": found.get("overrides") or [],
    }


def exposure(manifest: Mapping[str, Any]) -> Data | None:
    """Who gets the top-10 slots, and how accuracy differs: facts, charts, and title -> rows."""
    found = manifest.get("exposure") or {}
    if not any(found.get(name) for name in ("lift", "raised", "providers", "gaps")):
        return None
    names = ("effective_titles", "titles_shown", "coverage", "gini")
    return {
        "facts": {name: found[name] for name in names if name in found},
        "charts": figures.of_exposure(manifest),
        "tables": {
            title: found[name]
            for name, title in (
                ("lift", "Popularity lift"),
                ("raised", "Boosts of the exposure policy"),
                ("providers", "Exposure shares"),
                ("gaps", "NDCG@10 of groups of members"),
            )
            if found.get(name)
        },
    }


def forward_test(manifest: Mapping[str, Any]) -> Data | None:
    """How the release before did on the days since: a row a metric, and charts."""
    test = manifest.get("forward_test")
    if not test:
        return None
    facts = {name: test[name] for name in ("release_id", "since", "until", "members")}
    rows = history.forward_rows(manifest)
    return {**facts, "rows": rows, "charts": figures.of_forward_test(manifest)}


def by_model(metrics: Sequence[Row]) -> list[Data]:
    """Each metric as a table: models across, cohorts down; a model that has no number has None."""
    tables = []
    for metric in unique(row["metric"] for row in metrics):
        rows = history.published_first(row for row in metrics if row["metric"] == metric)
        models = unique(row["model"] for row in rows)
        found = {(row["cohort"], row["model"]): row for row in rows}
        cohorts = {
            cohort: [found.get((cohort, model)) for model in models]
            for cohort in unique(row["cohort"] for row in rows)
        }
        tables.append({"metric": metric, "models": models, "cohorts": cohorts})
    return tables


def _gate(manifest: Mapping[str, Any]) -> Data | None:
    return {"rules": rules} if (rules := gate(manifest)["rules"]) else None


def _evaluation(manifest: Mapping[str, Any]) -> Data | None:
    metrics = (manifest.get("evaluation") or {}).get("metrics") or []
    if not metrics:
        return None
    cohort = metrics[0]["cohort"]
    overall = history.published_first(row for row in metrics if row["cohort"] == cohort)
    columns = unique(row["metric"] for row in overall)
    found = {(row["model"], row["metric"]): row for row in overall}
    return {
        "cohort": cohort,
        "columns": columns,
        "models": {
            model: [found.get((model, metric)) for metric in columns]
            for model in unique(row["model"] for row in overall)
        },
        "protocol": {
            name: value
            for name, value in manifest["evaluation"].items()
            if value is None or isinstance(value, str | int | float)
        },
        "charts": figures.of_evaluation(manifest),
        "forward": forward_test(manifest),
        "rows": metrics,
    }


def _rows(manifest: Mapping[str, Any]) -> Data | None:
    streams = manifest.get("received") or []
    if not streams:
        return None
    totals: Counter[str] = Counter()
    for row in streams:
        totals.update({name: value for name, value in row.items() if name != "stream"})
    parts = ("kept", "repeats", "rejected")
    rows = []
    for row in streams:
        counts = {part: int(row.get(part) or 0) for part in parts}
        words = ", ".join(f"{label(part)} {show(count)}" for part, count in counts.items())
        rows.append({**row, **counts, "bar": charts.stacked_bar(counts, description=words)})
    return {"streams": rows, "totals": totals, "parts": parts}


def _trends(days: Sequence[Row]) -> Data | None:
    if not days:
        return None
    panels = []
    for name in unique(row["name"] for row in days):
        rows = [row for row in days if row["name"] == name]
        first, last = (f"{show(rows[end]['value'])} on {show(rows[end]['day'])}" for end in (0, -1))
        chart = charts.sparkline(
            [row["value"] for row in rows], description=f"{name}: {first}, {last}"
        )
        panels.append((name, show(rows[-1]["value"]), chart))
    dates = sorted(row["day"] for row in days)
    return {"first": dates[0], "last": dates[-1], "panels": panels}


def _history(releases: Sequence[Row]) -> Data | None:
    """A chart of each metric that two releases or more have."""
    panels = []
    for metric in unique(metric for one in releases for metric in one["metrics"]):
        rows = [
            {"as_of": one["as_of"], **one["metrics"][metric]}
            for one in releases
            if metric in one["metrics"]
        ]
        if len(rows) > 1:
            panels.append((label(metric), charts.history(rows, metric=metric)))
    return {"earlier": len(releases) - 1, "panels": panels} if panels else None


def _provenance(manifest: Mapping[str, Any]) -> Data | None:
    panels = {name: manifest[name] for name in PROVENANCE if manifest.get(name)}
    inputs = manifest.get("inputs") or []
    return {"panels": panels, "inputs": inputs} if panels or inputs else None


def _some(**lists: Sequence[Any]) -> Data | None:
    return lists if any(lists.values()) else None


def _expectation(row: Row) -> dict[str, str | None]:
    """What is expected, in words, and of which column."""
    rule = row.get("rule") or {}
    if description := rule.get("description"):
        return {"text": description, "column": None}
    text = str(row["kind"]).removeprefix("expect_").replace("_", " ")
    return {"text": text, "column": rule.get("column")}


def _worst(states: Mapping[str, int] | None) -> tuple[str, int] | None:
    return next(iter(states.items())) if states else None
