"""Charts as inline SVG: they scale, print, follow the colour scheme and load nothing.

Colours are classes of `templates/charts.css`. Each chart has a text for those who do not see it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from matinee.report.formatting import Row, is_lower_better, label, show, unique
from matinee.report.svg import Child
from matinee.report.svg import coordinate as _x
from matinee.report.svg import drawing as _svg
from matinee.report.svg import element as _element
from matinee.report.svg import text_at as _text
from matinee.report.svg import tick as _tick

WIDTH = 360
LINE = 17
LEFT, RIGHT = 104, 52
STYLE = Path(__file__).parent / "templates" / "charts.css"


def dots_and_whiskers(rows: Sequence[Row], *, metric: str) -> Markup:
    """One metric: for each cohort, each model's mean as a dot on its interval.

    Rows hold model, cohort, mean, low, high, n. The first model is the one of the release.
    """
    models = unique(row["model"] for row in rows)
    scale, ticks = _scale(max((row["high"] or row["mean"] or 0.0 for row in rows), default=0.0))
    pick = min if is_lower_better(metric) else max
    body, y = [], 14
    for cohort in unique(row["cohort"] for row in rows):
        of_cohort = [row for row in rows if row["cohort"] == cohort]
        best = pick((row["mean"] for row in of_cohort if row["mean"] is not None), default=None)
        body.append(_text(0, y, _cohort_title(cohort, of_cohort), "cohort"))
        y += LINE
        for row in of_cohort:
            kind = f"model{min(models.index(row['model']), 4)}"
            body.append(_whisker(row, y, scale, kind, is_best=row["mean"] == best))
            y += LINE
        y += 9
    values = "; ".join(
        f"{label(row['model'])}, {label(row['cohort'])}: {show(row['mean'])}" for row in rows
    )
    text = f"{label(metric)} by cohort and model. {values}"
    return _svg([_grid(scale, ticks, 0, y), body], WIDTH, y + 18, text)


def dumbbells(
    rows: Sequence[Row], *, name: str, fields: Mapping[str, str], description: str
) -> Markup:
    """A line for each row with one dot per field, on one scale from zero.

    Parameters
    ----------
    name : the field that names a row
    fields : field -> class of its dot, in the order of the key above the chart
    """
    scale, ticks = _scale(max((row[field] for row in rows for field in fields), default=0.0))
    key, x = [], 4.5
    for field, kind in fields.items():
        key.append(_element("circle", class_=f"dot {kind}", cx=_x(x), cy=9, r=4.5))
        key.append(_text(x + 9, 13, label(field), "tick"))
        x += 30 + 5.5 * len(label(field))
    values = [", ".join(f"{label(one)} {show(row[one], one)}" for one in fields) for row in rows]
    body, y = [], 38
    for row, value in zip(rows, values, strict=True):
        places = [LEFT + row[field] * scale for field in fields]
        dots = [
            _element("circle", class_=f"dot {kind}", cx=_x(place), cy=y - 4, r=4.5)
            for place, kind in zip(places, fields.values(), strict=True)
        ]
        left, right = _x(min(places)), _x(max(places))
        last = list(fields)[-1]
        body.append(
            _element(
                "g",
                _element("title", f"{row[name]}: {value}"),
                _text(LEFT - 8, y, _short(str(row[name])), "name", anchor="end"),
                _element("line", class_="whisker model3", x1=left, x2=right, y1=y - 4, y2=y - 4),
                dots,
                _text(WIDTH, y, show(row[last], last), "value", anchor="end"),
            )
        )
        y += LINE
    text = "; ".join(f"{row[name]}: {value}" for row, value in zip(rows, values, strict=True))
    shapes: list[Child] = [_grid(scale, ticks, 22, y), key, body]
    return _svg(shapes, WIDTH, y + 18, f"{description}. {text}")


def sparkline(values: Sequence[float | None], *, description: str) -> Markup:
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
    shapes = [_element("path", class_="area", d=area), _element("path", class_="line", d=line)]
    if points:
        cx, cy = map(_x, points[-1])
        shapes.append(_element("circle", class_="last", cx=cx, cy=cy, r=3))
    return _svg(shapes, width, height, description, class_="spark")


def history(rows: Sequence[Row], *, metric: str) -> Markup:
    """One metric over releases, oldest first: a line on its band. Rows: as_of, mean, low, high.

    A row may have `best_baseline`, which is drawn as a second line.
    """
    height, top_pad, foot = 150, 10, 20
    values = [row.get(name) for row in rows for name in ("mean", "low", "high", "best_baseline")]
    known = [value for value in values if value is not None]
    ticks = nice_ticks(max(known, default=0.0), min(known, default=0.0))
    room = (height - top_pad - foot) / (ticks[-1] - ticks[0])

    def place(index: int, value: float) -> tuple[float, float]:
        x = 40 + _share(index, len(rows)) * (WIDTH - 40 - RIGHT)
        return x, top_pad + (ticks[-1] - value) * room

    means = [place(i, row["mean"]) for i, row in enumerate(rows)]
    highs = [place(i, row["high"]) for i, row in enumerate(rows) if row["high"] is not None]
    lows = [place(i, row["low"]) for i, row in enumerate(rows) if row["low"] is not None]
    band = _path([*highs, *reversed(lows)])
    beside = [row.get("best_baseline") for row in rows]
    others = [place(i, value) for i, value in enumerate(beside) if value is not None]
    grid = [
        [
            _element("line", class_="grid", x1=40, x2=WIDTH - RIGHT, y1=_x(y), y2=_x(y)),
            _text(34, y + 4, _tick(tick), "tick", anchor="end"),
        ]
        for tick in ticks
        for _, y in [place(0, tick)]
    ]
    first, last = ((means[end][0], show(rows[end]["as_of"])[:10]) for end in (0, -1))
    shapes = [
        grid,
        _element("path", class_="band", d=f"{band}Z") if band else None,
        _element("path", class_="line beside", d=_path(others)) if others else None,
        [_element("circle", class_="dot model1", cx=_x(x), cy=_x(y), r=2) for x, y in others],
        _element("path", class_="line", d=_path(means)),
        [_element("circle", class_="dot model0", cx=_x(x), cy=_x(y), r=3) for x, y in means],
        _text(first[0], height - 4, first[1], "tick"),
        _text(last[0], height - 4, last[1], "tick", anchor="middle") if len(rows) > 1 else None,
        _text(means[-1][0] + 9, means[-1][1] + 4, show(rows[-1]["mean"]), "value"),
    ]
    text = f"{label(metric)} over {len(rows)} releases, now {show(rows[-1]['mean'])}"
    if beside[-1] is not None:
        text += f", best baseline {show(beside[-1])}"
    return _svg(shapes, WIDTH, height, text)


def stacked_bar(parts: Mapping[str, int], *, description: str) -> Markup:
    """One bar cut into parts, class -> count; a part that is not empty is wide enough to see."""
    width, height = 150, 10
    total = sum(parts.values()) or 1
    floors = {kind: 3.0 if count else 0.0 for kind, count in parts.items()}
    room = width - sum(floors.values())
    shapes, x = [], 0.0
    for kind, count in parts.items():
        length = floors[kind] + room * count / total
        shapes.append(
            _element("rect", class_=f"share {kind}", x=_x(x), width=_x(length), height=height)
        )
        x += length
    return _svg(shapes, width, height, description, class_="bar")


def standalone(title: str, chart: Markup) -> str:
    """A chart as a document: with its name space, its style, a heading and a margin."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', chart)
    if size is None:
        raise ValueError(f"the chart {title!r} has no size: its svg element needs a viewBox")
    width, height = float(size[1]) + 40, float(size[2]) + 56
    inner = str(chart).replace(
        "<svg ", f'<svg x="20" y="40" width="{size[1]}" height="{size[2]}" ', 1
    )
    style = STYLE.read_text(encoding="utf-8")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{2 * width:g}" height="{2 * height:g}">\n<style>\n{style}</style>\n'
        f'<rect width="100%" height="100%" fill="var(--card)"/>\n'
        f"{_text(20, 26, title, 'heading')}\n{inner}\n</svg>\n"
    )


def nice_ticks(top: float, bottom: float = 0.0) -> list[float]:
    """Round numbers from zero, or from below `bottom` if it is negative, to at least `top`.

    >>> nice_ticks(0.213), nice_ticks(0.0), nice_ticks(0.5, -0.2)
    ([0.0, 0.05, 0.1, 0.15, 0.2, 0.25], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [-0.2, 0.0, 0.2, 0.4, 0.6])
    """
    top, bottom = max(top, 0.0), min(bottom, 0.0)
    if not 1e-12 < top - bottom < math.inf:  # nothing to draw, or NaN
        top, bottom = 1.0, 0.0
    span = top - bottom
    power = 10.0 ** math.floor(math.log10(span))
    step = next(
        s * power for s in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5) if span / (s * power) <= 5.001
    )
    first, last = math.floor(bottom / step + 1e-9), math.ceil(top / step - 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def _whisker(row: Row, y: float, scale: float, kind: str, *, is_best: bool) -> Markup:
    middle = y - 4
    name = _text(LEFT - 8, y, _short(label(row["model"])), "name", anchor="end")
    if row["mean"] is None:
        return _element("g", name, _text(LEFT, y, "not evaluated", "tick"))
    low, high, mean = (
        LEFT + (row["mean"] if row[part] is None else row[part]) * scale
        for part in ("low", "high", "mean")
    )
    values = f"{show(row['mean'])} ({show(row['low'])} to {show(row['high'])})"
    return _element(
        "g",
        _element("title", f"{label(row['model'])}: {values}"),
        name,
        _element("line", class_=f"whisker {kind}", x1=_x(low), x2=_x(high), y1=middle, y2=middle),
        _element("circle", class_=f"dot {kind}", cx=_x(mean), cy=middle, r=4.5),
        _text(WIDTH, y, show(row["mean"]), "value best" if is_best else "value", anchor="end"),
    )


def _cohort_title(cohort: Any, rows: Sequence[Row]) -> list[Markup | str]:
    counts = unique(row.get("n") for row in rows if row.get("n") is not None)
    count = _element("tspan", f"  n = {show(max(counts))}", class_="tick") if counts else ""
    return [label(cohort), count]


def _scale(top: float) -> tuple[float, list[float]]:
    """Units of the drawing per unit of the values, and the ticks of the axis."""
    ticks = nice_ticks(top)
    return (WIDTH - LEFT - RIGHT) / ticks[-1], ticks


def _grid(scale: float, ticks: Sequence[float], top: float, bottom: float) -> list[Child]:
    """A line and a number for each tick of a horizontal axis."""
    return [
        [
            _element("line", class_="grid", x1=x, x2=x, y1=_x(top), y2=_x(bottom)),
            _text(LEFT + tick * scale, bottom + 12, _tick(tick), "tick", anchor="middle"),
        ]
        for tick in ticks
        for x in [_x(LEFT + tick * scale)]
    ]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if i else 'M'}{_x(x)} {_x(y)}" for i, (x, y) in enumerate(points))


def _short(words: str) -> str:
    return words if len(words) <= 16 else f"{words[:15]}\N{HORIZONTAL ELLIPSIS}"


def _share(index: int, count: int) -> float:
    return index / (count - 1) if count > 1 else 0.5
