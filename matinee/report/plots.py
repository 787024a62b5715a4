"""The charts of the model card as files: SVG that carries its style and loads nothing."""

import re
from collections.abc import Mapping
from typing import Any

from matinee.report import charts
from matinee.report.exposure import plots as exposure_plots
from matinee.report.markup import Markup
from matinee.report.words import headline, rows_of, unique

FOLDER = "card"


def plots(fields: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Name of a file below the release -> its title and its text.

    Parameters
    ----------
    fields
        The manifest or its fields, as `card` reads them.
    """
    metrics = rows_of((fields.get("evaluation") or {}).get("metrics"))
    drawn: list[tuple[str, Markup]] = []
    for metric in unique(row["metric"] for row in metrics):
        rows = [row for row in metrics if row["metric"] == metric]
        chart = charts.dots_and_whiskers(rows, metric=str(metric))
        drawn.append((headline(str(metric)), chart))
    drawn += exposure_plots(fields.get("exposure") or {})
    return {
        f"{FOLDER}/{_file_name(title)}.svg": (title, charts.standalone(title, chart))
        for title, chart in drawn
    }


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
