"""The charts of the model card as files: SVG that carries its style and loads nothing."""

import re
from collections.abc import Mapping
from typing import Any

from matinee.report import charts
from matinee.report.exposure import plots as exposure_plots
from matinee.report.markup import Markup
from matinee.report.style import CSS
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
        f"{FOLDER}/{_file_name(title)}.svg": (title, _standalone(title, chart))
        for title, chart in drawn
    }


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _standalone(title: str, chart: Markup) -> str:
    """A chart that is a document: with its name space, its style, a heading and a margin."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', chart)
    if size is None:
        raise ValueError(f"the chart {title!r} says no size")
    width, height = float(size[1]) + 40, float(size[2]) + 56
    heading = charts.heading(title)
    inner = chart.replace("<svg ", '<svg x="20" y="40" ', 1)
    inner = inner.replace("<svg ", f'<svg width="{size[1]}" height="{size[2]}" ', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{2 * width:g}" height="{2 * height:g}">\n<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="var(--card)"/>\n{heading}\n{inner}\n</svg>\n'
    )


def _style() -> str:
    """The colours of the page, and what it says of charts."""
    colours = CSS[: CSS.index("* { box-sizing")]
    of_charts = [line for line in CSS.splitlines() if line.startswith("svg .")]
    more = [
        "svg text { font: 11px var(--sans); fill: var(--ink); white-space: pre; }",
        "svg .heading { font: 600 15px var(--serif); }",
    ]
    return "\n".join([colours, *more, *of_charts])


_STYLE = _style()
