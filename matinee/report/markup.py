"""HTML that cannot be injected into: whatever `element` did not make itself is escaped."""

import html
import re
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


# Half a surrogate pair or a NUL breaks a page, and a bidi override turns the words after it around.
_UNFIT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _text(value: object) -> Markup:
    return Markup(html.escape(_UNFIT.sub("\N{REPLACEMENT CHARACTER}", str(value))))
