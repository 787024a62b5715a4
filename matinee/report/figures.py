"""The charts of a release's numbers: on the page, and as files beside the card."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from matinee.report import charts, history
from matinee.report.formatting import Row, headline, unique

FOLDER = "card"
POPULARITY = {"watched": "model1", "shown": "model0"}
SHARES = {"catalogue_ratio": "model3", "watched_ratio": "model1", "shown_ratio": "model0"}
MEANS = {"other members": "model3", "this group": "model0"}
ATTRIBUTES = {"added": "time in the catalogue", "country": "country of origin"}

Figure = tuple[str, Markup]
"""A title and its chart."""


def plots(manifest: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Name of an SVG file below the release -> its title and its text."""
    drawn = [*of_evaluation(manifest), *of_exposure(manifest)]
    return {
        f"{FOLDER}/{_file_name(title)}.svg": (title, charts.standalone(title, chart))
        for title, chart in drawn
    }


def of_evaluation(manifest: Mapping[str, Any]) -> list[Figure]:
    """One chart for each metric."""
    return _by_metric((manifest.get("evaluation") or {}).get("metrics") or [])


def of_forward_test(manifest: Mapping[str, Any]) -> list[Figure]:
    """One chart for each metric; on the page only, for the card's charts are content."""
    return _by_metric((manifest.get("forward_test") or {}).get("metrics") or [])


def _by_metric(metrics: Sequence[Row]) -> list[Figure]:
    drawn = []
    for metric in unique(row["metric"] for row in metrics):
        rows = history.published_first(row for row in metrics if row["metric"] == metric)
        chart = charts.dots_and_whiskers(rows, metric=str(metric))
        drawn.append((headline(str(metric)), chart))
    return drawn


def of_exposure(manifest: Mapping[str, Any]) -> list[Figure]:
    """Popularity of what is watched and shown, exposure shares, and NDCG of groups of members."""
    exposure = manifest.get("exposure") or {}
    drawn = []
    if lift := exposure.get("lift") or []:
        title = "Mean popularity, watched and shown"
        chart = charts.dumbbells(lift, name="group", fields=POPULARITY, description=title)
        drawn.append((title, chart))
    for part, fields, subject in (
        ("providers", SHARES, "Exposure share"),
        ("gaps", MEANS, "NDCG@10 of members"),
    ):
        found = [
            {**row, "this group": row.get("mean"), "other members": row.get("rest")}
            for row in exposure.get(part) or []
        ]
        for attribute in unique(row["attribute"] for row in found):
            rows = [row for row in found if row["attribute"] == attribute]
            words = ATTRIBUTES.get(attribute, attribute) if part == "providers" else attribute
            title = f"{subject}, by {words}"
            chart = charts.dumbbells(rows, name="value", fields=fields, description=title)
            drawn.append((title, chart))
    return drawn


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
