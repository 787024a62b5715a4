"""Charts of values with intervals around a reference, such as no change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from matinee.report.charts import LEFT, LINE, RIGHT, WIDTH
from matinee.report.formatting import MINUS, Row
from matinee.report.svg import Child, coordinate, drawing, element, text_at

WIDE = LEFT + 60
"""Room for the names: a pair of themes is longer than a model."""

STEPS = (0.1, 0.2, 0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0, 5.0, 10.0)
"""Ticks of a scale of ratios."""

MOST_RATIO = 10.0
"""Intervals are cut off at this factor and its inverse."""


def ratios(
    rows: Sequence[Row],
    *,
    kinds: Mapping[str, str],
    words: Callable[[float], str],
    description: str,
) -> Markup:
    """A dot on its interval for each row, around a line at 1, on a logarithmic scale.

    Parameters
    ----------
    rows : name, value, low, high, kind
        `value` is a ratio; 1 is the reference. `low` and `high` may be None.
    kinds : kind -> class of its dot
    words : how a ratio is written, as in `+20 %`
    """
    ends = [row[end] for row in rows for end in ("value", "low", "high") if row[end]]
    low = max(1 / MOST_RATIO, min([0.8, *ends]))
    high = min(MOST_RATIO, max([1.25, *ends]))
    room = WIDTH - WIDE - RIGHT

    def place(ratio: float) -> float:
        inside = min(max(ratio, low), high)
        return WIDE + room * math.log(inside / low) / math.log(high / low)

    body: list[Child] = []
    y = 14
    for row in rows:
        body.append(_row(row, y, place, kinds[row["kind"]], words))
        y += LINE
    ticks = [one for one in STEPS if low <= one <= high]
    lines = [
        [
            element(
                "line",
                class_="reference" if one == 1.0 else "grid",
                x1=coordinate(place(one)),
                x2=coordinate(place(one)),
                y1=0,
                y2=y - 6,
            ),
            text_at(place(one), y + 6, words(one), "tick", anchor="middle"),
        ]
        for one in _apart(ticks, place)
    ]
    values = "; ".join(f"{row['name']}: {words(row['value'])}" for row in rows)
    return drawing([lines, body], WIDTH, y + 12, f"{description}. {values}")


def _row(
    row: Row, y: float, place: Callable[[float], float], kind: str, words: Callable[[float], str]
) -> Markup:
    value = words(row["value"])
    interval: Any = None
    middle = coordinate(place(row["value"]))
    if row["low"] is not None and row["high"] is not None:
        value += f" ({words(row['low'])} to {words(row['high'])})"
        interval = element(
            "line",
            class_=f"whisker {kind}",
            x1=coordinate(place(row["low"])),
            x2=coordinate(place(row["high"])),
            y1=y - 4,
            y2=y - 4,
        )
    return element(
        "g",
        element("title", f"{row['name']}: {value}"),
        text_at(WIDE - 8, y, _short(str(row["name"])), "name", anchor="end"),
        interval,
        element("circle", class_=f"dot {kind}", cx=middle, cy=y - 4, r=4.5),
        text_at(WIDTH, y, words(row["value"]), "value", anchor="end"),
    )


def _apart(ticks: Sequence[float], place: Callable[[float], float]) -> list[float]:
    """Ticks whose numbers do not touch; 1 always."""
    kept = [1.0]
    for one in sorted(ticks, key=lambda ratio: abs(math.log(ratio))):
        if all(abs(place(one) - place(other)) >= 34 for other in kept):
            kept.append(one)
    return sorted(kept)


def _short(words: str) -> str:
    return words if len(words) <= 27 else f"{words[:26]}\N{HORIZONTAL ELLIPSIS}"


def percent_change(ratio: float) -> str:
    """A ratio as a change, with a minus sign that reads as one.

    >>> percent_change(1.2)
    '+20 %'
    """
    percent = round(100 * (ratio - 1))
    return f"{percent:+} %".replace("-", MINUS) if percent else "0 %"


def times(ratio: float) -> str:
    """A ratio as a factor, such as 1.25 times."""
    return f"{ratio:.2f} \N{MULTIPLICATION SIGN}"
