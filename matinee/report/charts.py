"""Charts as inline SVG, drawn by hand: they scale, print, follow the colour scheme, load nothing.

Colours are classes of the style sheet. Each chart carries a sentence for those who do not see it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matinee.report.markup import Markup, element
from matinee.report.style import CSS
from matinee.report.words import Row, is_lower_better, label, show, unique

WIDTH = 360
LINE = 17
LEFT, RIGHT = 98, 52


def dots_and_whiskers(rows: Sequence[Row], *, metric: str) -> Markup:
    """One metric: for each cohort, each model's mean as a dot on its interval.

    Rows hold model, cohort, mean, low, high, n. The first model is the one on trial.
    """
    models = unique(row["model"] for row in rows)
    top = max((row["high"] or row["mean"] or 0.0 for row in rows), default=0.0)
    ticks = nice_ticks(top)
    scale = (WIDTH - LEFT - RIGHT) / ticks[-1]
    body, y = [], 14
    for cohort in unique(row["cohort"] for row in rows):
        of_cohort = [row for row in rows if row["cohort"] == cohort]
        pick = min if is_lower_better(metric) else max
        best = pick((row["mean"] for row in of_cohort if row["mean"] is not None), default=None)
        body.append(_text(0, y, _cohort_title(cohort, of_cohort), "cohort"))
        y += LINE
        for row in of_cohort:
            kind = f"model{min(models.index(row['model']), 4)}"
            body.append(_whisker(row, y, scale, kind, is_best=row["mean"] == best))
            y += LINE
        y += 9
    grid = [
        [
            element("line", class_="grid", x1=_x(LEFT + t * scale), x2=_x(LEFT + t * scale), y2=y),
            _text(LEFT + t * scale, y + 12, _tick(t), "tick", anchor="middle"),
        ]
        for t in ticks
    ]
    said = "; ".join(
        f"{row['model']}, {label(str(row['cohort']))}: {show(row['mean'])}" for row in rows
    )
    return _svg([grid, body], WIDTH, y + 18, f"{label(metric)} by cohort and model. {said}")


def dumbbells(rows: Sequence[Row], *, name: str, fields: Mapping[str, str], said: str) -> Markup:
    """A line a row, with a dot for each field on one scale from zero: how far apart they are.

    Parameters
    ----------
    name : the field that names a row
    fields : field -> class of its dot, in the order of the key above the chart
    """
    top = max((row[field] for row in rows for field in fields), default=0.0)
    ticks = nice_ticks(top)
    scale = (WIDTH - LEFT - RIGHT) / ticks[-1]
    key, x = [], float(LEFT)
    for field, kind in fields.items():
        key.append(element("circle", class_=f"dot {kind}", cx=_x(x), cy=9, r=4.5))
        key.append(_text(x + 9, 13, label(field), "tick"))
        x += 30 + 5.5 * len(label(field))
    body, y = [], 34
    for row in rows:
        places = [LEFT + row[field] * scale for field in fields]
        told = ", ".join(f"{label(field)} {show(row[field], field)}" for field in fields)
        left, right = _x(min(places)), _x(max(places))
        dots = [
            element("circle", class_=f"dot {kind}", cx=_x(place), cy=y - 4, r=4.5)
            for place, kind in zip(places, fields.values(), strict=True)
        ]
        last = row[list(fields)[-1]]
        body.append(
            element(
                "g",
                element("title", f"{row[name]}: {told}"),
                _text(LEFT - 8, y, _short(str(row[name])), "name", anchor="end"),
                element("line", class_="whisker model3", x1=left, x2=right, y1=y - 4, y2=y - 4),
                dots,
                _text(WIDTH, y, show(last, list(fields)[-1]), "value", anchor="end"),
            )
        )
        y += LINE
    grid = [
        [
            element(
                "line", class_="grid", x1=_x(LEFT + t * scale), x2=_x(LEFT + t * scale), y1=20, y2=y
            ),
            _text(LEFT + t * scale, y + 12, _tick(t), "tick", anchor="middle"),
        ]
        for t in ticks
    ]
    words = "; ".join(
        f"{row[name]}: {', '.join(f'{label(f)} {show(row[f], f)}' for f in fields)}" for row in rows
    )
    return _svg([grid, key, body], WIDTH, y + 18, f"{said}. {words}")


def sparkline(values: Sequence[float | None], *, said: str) -> Markup:
    """A small area chart from zero: the shape of a series, its last value marked."""
    width, height, pad = 160, 44, 4
    known = [value for value in values if value is not None]
    top = max(known, default=0.0) or 1.0
    points = [
        (pad + _share(i, len(values)) * (width - 2 * pad), height - value / top * (height - pad))
        for i, value in enumerate(values)
        if value is not None
    ]
    line = _path(points)
    area = f"{line}L{_x(points[-1][0])} {height}L{_x(points[0][0])} {height}Z" if points else ""
    dot = points and element(
        "circle", class_="last", cx=_x(points[-1][0]), cy=_x(points[-1][1]), r=3
    )
    shapes = [element("path", class_="area", d=area), element("path", class_="line", d=line), dot]
    return _svg(shapes, width, height, said, class_="spark")


def history(rows: Sequence[Row], *, metric: str) -> Markup:
    """One metric over releases, oldest first: a line on its band. Rows: as_of, mean, low, high."""
    height, top_pad, foot = 150, 10, 20
    top = max((row["high"] or row["mean"] or 0.0 for row in rows), default=0.0)
    ticks = nice_ticks(top)

    def place(index: int, value: float) -> tuple[float, float]:
        x = 40 + _share(index, len(rows)) * (WIDTH - 40 - RIGHT)
        return x, top_pad + (1 - value / ticks[-1]) * (height - top_pad - foot)

    means = [place(i, row["mean"]) for i, row in enumerate(rows)]
    highs = [place(i, row["high"]) for i, row in enumerate(rows) if row["high"] is not None]
    lows = [place(i, row["low"]) for i, row in enumerate(rows) if row["low"] is not None]
    band = _path([*highs, *reversed(lows)])
    grid = [
        [
            element("line", class_="grid", x1=40, x2=WIDTH - RIGHT, y1=_x(y), y2=_x(y)),
            _text(34, y + 4, _tick(tick), "tick", anchor="end"),
        ]
        for tick in ticks
        for _, y in [place(0, tick)]
    ]
    dots = [element("circle", class_="dot model0", cx=_x(x), cy=_x(y), r=3) for x, y in means]
    ends = [
        _text(means[0][0], height - 4, show(rows[0]["as_of"])[:10], "tick"),
        _text(means[-1][0], height - 4, show(rows[-1]["as_of"])[:10], "tick", anchor="middle")
        if len(rows) > 1
        else None,
        _text(means[-1][0] + 9, means[-1][1] + 4, show(rows[-1]["mean"]), "value"),
    ]
    shapes = [
        grid,
        element("path", class_="band", d=f"{band}Z") if band else None,
        element("path", class_="line", d=_path(means)),
        dots,
        ends,
    ]
    said = f"{label(metric)} over {len(rows)} releases, now {show(rows[-1]['mean'])}"
    return _svg(shapes, WIDTH, height, said)


def shares(parts: Sequence[tuple[str, int]], *, said: str) -> Markup:
    """One bar cut into parts; a part that is not empty is never too thin to be seen."""
    width, height = 150, 10
    total = sum(count for _, count in parts) or 1
    least = [3.0 if count else 0.0 for _, count in parts]
    room = width - sum(least)
    shapes, x = [], 0.0
    for (kind, count), floor in zip(parts, least, strict=True):
        length = floor + room * count / total
        shapes.append(
            element("rect", class_=f"share {kind}", x=_x(x), width=_x(length), height=height)
        )
        x += length
    return _svg(shapes, width, height, said, class_="bar")


def standalone(title: str, chart: Markup) -> str:
    """A chart that is a document: with its name space, its style, a heading and a margin."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', chart)
    if size is None:
        raise ValueError(f"the chart {title!r} says no size")
    width, height = float(size[1]) + 40, float(size[2]) + 56
    head = heading(title)
    inner = chart.replace("<svg ", '<svg x="20" y="40" ', 1)
    inner = inner.replace("<svg ", f'<svg width="{size[1]}" height="{size[2]}" ', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{2 * width:g}" height="{2 * height:g}">\n<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="var(--card)"/>\n{head}\n{inner}\n</svg>\n'
    )


def heading(title: str) -> Markup:
    """The title of a chart that stands alone."""
    return _text(20, 26, title, "heading")


def nice_ticks(top: float) -> list[float]:
    """Round numbers from zero to at least `top`, three to six of them.

    >>> nice_ticks(0.213), nice_ticks(0.0)
    ([0.0, 0.05, 0.1, 0.15, 0.2, 0.25], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    if not 1e-12 < top < math.inf:  # nothing to draw, or NaN
        top = 1.0
    power = 10.0 ** math.floor(math.log10(top))
    step = next(
        s * power for s in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5) if top / (s * power) <= 5.001
    )
    count = math.ceil(top / step - 1e-9)
    return [float(f"{index * step:.12g}") for index in range(count + 1)]


def _whisker(row: Row, y: float, scale: float, kind: str, *, is_best: bool) -> Markup:
    middle = y - 4
    name = _text(LEFT - 8, y, label(str(row["model"])), "name", anchor="end")
    if row["mean"] is None:
        return element("g", name, _text(LEFT, y, "not judged", "tick"))
    low, high, mean = (
        LEFT + (row["mean"] if row[part] is None else row[part]) * scale
        for part in ("low", "high", "mean")
    )
    told = f"{row['model']}: {show(row['mean'])} ({show(row['low'])} to {show(row['high'])})"
    return element(
        "g",
        element("title", told),
        name,
        element("line", class_=f"whisker {kind}", x1=_x(low), x2=_x(high), y1=middle, y2=middle),
        element("circle", class_=f"dot {kind}", cx=_x(mean), cy=middle, r=4.5),
        _text(WIDTH, y, show(row["mean"]), "value best" if is_best else "value", anchor="end"),
    )


def _cohort_title(cohort: Any, rows: Sequence[Row]) -> list[Markup | str]:
    counts = unique(row.get("n") for row in rows if row.get("n") is not None)
    among = element("tspan", f"  n = {show(max(counts))}", class_="tick") if counts else ""
    return [label(str(cohort)), among]


def _svg(shapes: Any, width: float, height: float, said: str, class_: str = "chart") -> Markup:
    return element(
        "svg",
        shapes,
        class_=class_,
        viewBox=f"0 0 {width} {_x(height)}",
        role="img",
        aria_label=said,
        preserveAspectRatio="none" if class_ == "bar" else None,
    )


def _text(x: float, y: float, words: Any, class_: str, anchor: str | None = None) -> Markup:
    return element("text", words, x=_x(x), y=_x(y), class_=class_, text_anchor=anchor)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if i else 'M'}{_x(x)} {_x(y)}" for i, (x, y) in enumerate(points))


def _short(words: str) -> str:
    return words if len(words) <= 16 else f"{words[:15]}\N{HORIZONTAL ELLIPSIS}"


def _share(index: int, count: int) -> float:
    return index / (count - 1) if count > 1 else 0.5


def _tick(value: float) -> str:
    return f"{value:g}"


def _x(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


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
