"""The part of the report page on fairness: who is shown what, and how well who is served."""

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.report import charts, tables
from matinee.report.markup import Markup, element
from matinee.report.sections import Section, details, panel, section, told
from matinee.report.words import Row, label, show, unique

WATCHED_SHOWN = {"watched": "model1", "shown": "model0"}
SHARES = {"catalogue_ratio": "model3", "watched_ratio": "model1", "shown_ratio": "model0"}
MEANS = {"rest": "model3", "mean": "model0"}
TITLES = {"added": "time in the catalogue", "country": "country of origin"}
FACTS = ("effective_titles", "titles_shown", "coverage", "gini")


def exposure(found: Mapping[str, Any] | None, history: Sequence[Row]) -> Section | None:
    """Lift, shares and gaps of this release, then the trend over releases."""
    found = found or {}
    lift, provided, gaps = (found.get(name) or [] for name in ("lift", "providers", "gaps"))
    if not lift and not provided and not gaps:
        return None
    panels = [panel(title, chart) for title, chart in plots(found)]
    trends = [
        panel(label(str(metric)), charts.history(rows, metric=str(metric)))
        for metric in unique(row["metric"] for row in history)
        for rows in [[row for row in history if row["metric"] == metric]]
        if len(rows) > 1
    ]
    return section(
        "exposure",
        "Exposure",
        "Who is shown what in first places, beside what is watched; and whether any group of "
        "members is served less well. Each rule of it is in the gate.",
        told({name: found[name] for name in FACTS if name in found}),
        element("div", [*panels, *trends], class_="panels"),
        _table("All shares", provided),
        _table("All groups", gaps),
    )


def plots(found: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    """Each chart with its title."""
    drawn = []
    lift = found.get("lift") or []
    if lift:
        title = "Popularity, by taste"
        chart = charts.dumbbells(lift, name="group", fields=WATCHED_SHOWN, said=title)
        drawn.append((title, chart))
    for attribute in unique(row["attribute"] for row in found.get("providers") or []):
        rows = [row for row in found["providers"] if row["attribute"] == attribute]
        title = f"First places, by {TITLES.get(attribute, attribute)}"
        drawn.append((title, charts.dumbbells(rows, name="value", fields=SHARES, said=title)))
    for attribute in unique(row["attribute"] for row in found.get("gaps") or []):
        rows = [row for row in found["gaps"] if row["attribute"] == attribute]
        title = f"NDCG@10 of members, by {attribute}"
        drawn.append((title, charts.dumbbells(rows, name="value", fields=MEANS, said=title)))
    return drawn


def _table(title: str, rows: Sequence[Row]) -> Markup | None:
    if not rows:
        return None
    return details(f"{title} ({show(len(rows))})", tables.table(rows, tables.columns_of(rows)))
