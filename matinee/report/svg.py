"""The pieces of a chart as inline SVG; whatever text is in one is escaped."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from matinee.report.formatting import printable

Child = str | int | float | None | Iterable["Child"]


def drawing(
    shapes: Child, width: float, height: float, description: str, class_: str = "chart"
) -> Markup:
    """A chart of a size, with the text for those who do not see it."""
    return element(
        "svg",
        shapes,
        class_=class_,
        viewBox=f"0 0 {width} {coordinate(height)}",
        role="img",
        aria_label=description,
        preserveAspectRatio="none" if class_ == "bar" else None,
    )


def text_at(x: float, y: float, words: Child, class_: str, anchor: str | None = None) -> Markup:
    return element(
        "text", words, x=coordinate(x), y=coordinate(y), class_=class_, text_anchor=anchor
    )


def element(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """One SVG element. Text is escaped; in attribute names `_` is `-`, one at the end is dropped.

    >>> element("text", "1 < 2", class_="tick")
    Markup('<text class="tick">1 &lt; 2</text>')
    """
    pairs = [(key, value) for key, value in attributes.items() if value is not None]
    start = "".join(f' {key.rstrip("_").replace("_", "-")}="{_safe(one)}"' for key, one in pairs)
    return Markup(f"<{name}{start}>{_join(children)}</{name}>")  # noqa: S704


def _join(children: Child) -> str:
    if children is None:
        return ""
    if isinstance(children, str | int | float):
        return _safe(children)
    return "".join(_join(child) for child in children)


def _safe(value: str | float) -> str:
    return value if isinstance(value, Markup) else escape(printable(value))


def tick(value: float) -> str:
    """The number of a tick."""
    return f"{value:g}"


def coordinate(value: float) -> str:
    """A coordinate to a tenth of a unit."""
    return f"{value:.1f}".removesuffix(".0")
