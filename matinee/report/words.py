"""How numbers, names and rows are put before a reader; shared by the page and the card."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

Row = Mapping[str, Any]
Rows = Iterable[Row]
"""Rows, or an Arrow table that holds them."""

MISSING = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def rows_of(rows: Rows | None) -> list[Row]:
    """Rows of an Arrow table or of anything that holds mappings."""
    if rows is None:
        return []
    return list(rows.to_pylist()) if isinstance(rows, pa.Table) else list(rows)


def show(value: Any, name: str = "") -> str:
    """A value as text: thousands set apart, three decimals, ratios in percent, times in UTC.

    >>> show(1234567).replace(THIN, " "), show(0.2094), show(0.5, "rejected_ratio")
    ('1 234 567', '0.209', '50.0\N{NARROW NO-BREAK SPACE}%')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name == "seed":  # a name made of digits, not a quantity
        return str(value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", THIN).replace("-", MINUS)
    if isinstance(value, float):
        return _real(value, name)
    if isinstance(value, datetime):
        value = value.astimezone(UTC) if value.tzinfo else value
        return f"{value:%Y-%m-%d %H:%M}{THIN}UTC"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return ", ".join(f"{label(str(key))} {show(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(show(inner) for inner in value) or MISSING
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return show(datetime.fromisoformat(value))
    return str(value)


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
"""How a manifest writes a time."""


def _real(value: float, name: str) -> str:
    if name.endswith("_ratio"):
        text = f"{100 * value:.1f}{THIN}%"
    elif value and (abs(value) < 0.001 or abs(value) >= 1e6):
        text = f"{value:.2e}"
    else:
        text = f"{value:,.3f}".replace(",", THIN)
    return text.replace("-", MINUS)


def label(name: str) -> str:
    """A column or metric name as words.

    >>> label("ndcg_at_10"), label("rejected_ratio"), label("member_count"), label("as_of")
    ('NDCG@10', 'rejected', 'members', 'as of')
    """
    name = name.removesuffix("_ratio")
    if name.endswith("_count"):
        name = name.removesuffix("_count") + "s"
    words = name.replace("_at_", "@").replace("_", " ")
    for acronym in ("ndcg", "map@", "kl@", "mrr", "auc", "cf", "id", "sha256"):
        words = " ".join(
            word.upper() if word.startswith(acronym) and _is_word(word, acronym) else word
            for word in words.split(" ")
        )
    return words


LOWER_IS_BETTER = ("calibration_kl",)
"""Metrics of which the least is the best."""


def is_lower_better(metric: str) -> bool:
    return metric.startswith(LOWER_IS_BETTER)


def headline(metric: str) -> str:
    """A metric as the title of its chart.

    >>> headline("ndcg@10"), headline("calibration_kl@10")
    ('NDCG@10', 'calibration KL@10, lower is better')
    """
    return label(metric) + (", lower is better" if is_lower_better(metric) else "")


def _is_word(word: str, acronym: str) -> bool:
    return word == acronym or word.startswith(f"{acronym.rstrip('@')}@")


def plural(count: int, noun: str) -> str:
    """`1 rule`, `2 rules`.

    >>> plural(1, "rule"), plural(2, "rule")
    ('1 rule', '2 rules')
    """
    return f"{show(count)} {noun}{'' if count == 1 else 's'}"


def unique(values: Iterable[Any]) -> list[Any]:
    """Each value once, in the order of its first appearance."""
    return list(dict.fromkeys(values))
