"""HTML that cannot be injected into: whatever `element` did not make itself is escaped."""

import html
from collections.abc import Iterable

VOID = {"br", "col", "hr", "link", "meta"}


class Markup(str):
    """Text that is HTML already. Only `element` and `join` make it."""

    __slots__ = ()


Child = Markup | str | int | float | None | Iterable["Child"]


def element(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """One HTML or SVG element.

    Children that are None are left out, lists are flattened, text is escaped. In names of
    attributes `_` stands for `-`, and one at the end is dropped (`class_`).

    >>> element("p", "1 < 2", class_="small")
    '<p class="small">1 &lt; 2</p>'
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Child) -> Markup:
    """Children one after the other, escaped where they are text."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str | int | float):
        return _text(children)
    return Markup("".join(join(child) for child in children))


def _text(value: object) -> Markup:
    # Half a surrogate pair or a NUL from a broken log must not break the page either.
    clean = (
        str(value).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    )
    return Markup(html.escape(clean))
