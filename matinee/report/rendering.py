"""The Jinja environments: HTML and Markdown, where whatever a template inserts is escaped."""

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from matinee.report import formatting

_SPACE = re.compile(r"[^\S\u202f]+")  # the narrow space within numbers stays
_SPECIAL = re.compile(r"[\\`*\[\]|#~]|(?<!\w)_|_(?!\w)")


def html(template: str, **context: Any) -> str:
    """A page that runs nothing and loads nothing."""
    return _environment("html").get_template(template).render(**context) + "\n"


def markdown(template: str, **context: Any) -> str:
    """A Markdown document; sections are one blank line apart."""
    text = _environment("md").get_template(template).render(**context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment(form: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("matinee.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_html_text if form == "html" else _markdown_text,
    )
    environment.filters |= {
        "label": formatting.label,
        "plural": formatting.plural,
        "show": formatting.show,
    }
    return environment


def _html_text(value: Any) -> str:
    """Text without characters that break a page; Jinja escapes it after this."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else formatting.printable(value)


def _markdown_text(value: Any) -> Markup:
    """Text on one line that neither Markdown nor HTML reads as markup."""
    if isinstance(value, Markup):
        return value
    text = _SPACE.sub(" ", formatting.printable(value)).strip()
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(_SPECIAL.sub(lambda found: f"\\{found[0]}", text))  # noqa: S704
