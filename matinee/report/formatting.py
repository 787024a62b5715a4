"""How values and names are written for a reader, on the page, on the card and in the charts."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

Row = Mapping[str, Any]

MISSING = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

NAMES = {
    "because": "reason of this evaluation",
    "best": "best baseline",
    "best_mean": "best baseline's mean",
    "catalogue_ratio": "catalogue share",
    "continued_from": "warm start from",
    "coverage": "catalogue coverage",
    "cut": "split at",
    "dirty": "uncommitted changes",
    "effective_titles": "effective catalogue size",
    "everyone": "all members",
    "excluded_by_purpose": "members without consent",
    "gini": "Gini coefficient",
    "head_start": "boost",
    "high": "95 % high",
    "is_full": "full evaluation tonight",
    "kept": "accepted",
    "kept_from": "oldest day left",
    "lift": "popularity lift",
    "low": "95 % low",
    "member_ratio": "share of members",
    "members_in": "members with personalisation",
    "n": "members evaluated",
    "of_release": "evaluated in release",
    "previous": "weights kept from",
    "rejected_kept_from": "oldest day left of rejected rows",
    "repeats": "duplicates",
    "rest": "other members",
    "short": "gap",
    "short_high": "gap, 95 % high",
    "short_low": "gap, 95 % low",
    "shown_ratio": "exposure share",
    "test_members": "members evaluated",
    "threshold": "limit",
    "trending": "recent popularity",
    "unraised": "hybrid before policy",
    "verdict": "choice of protocol",
    "watched_ratio": "viewing share",
}
"""Names in a release's files whose words on the page are others."""

SHARES = ("coverage", "share")
"""Names of shares, next to all that end in `_ratio`."""

ACRONYMS = ("ai", "auc", "cpu", "id", "kl", "map", "mrr", "ndcg", "sha256")
"""Words that are written in capitals."""

LOWER_IS_BETTER = ("calibration_kl",)
"""Metrics of which the least is the best."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", re.ASCII)
"""How a manifest writes a time."""

# Half a surrogate pair or a NUL breaks a page; a bidi override reverses the text that follows it.
_UNPRINTABLE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(value: object) -> str:
    """The text of a value, with a mark in place of each character that no page may hold."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))


def show(value: Any, name: str = "") -> str:
    """A value as text: thousands set apart, three decimals, shares in percent, times in UTC.

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
        return ", ".join(f"{label(key)} {show(inner, str(key))}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(show(inner) for inner in value) or MISSING
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return show(datetime.fromisoformat(value))
    return str(value)


def _real(value: float, name: str) -> str:
    if name == "effective_titles":
        text = f"{value:,.1f}".replace(",", THIN)
    elif name == "lift":
        text = f"{100 * value:+.0f}{THIN}%"
    elif name.endswith("_ratio") or name in SHARES:
        text = f"{100 * value:.1f}{THIN}%"
    elif value and (abs(value) < 0.001 or abs(value) >= 1e6):
        text = f"{value:.2e}"
    else:
        text = f"{value:,.3f}".replace(",", THIN)
    return text.replace("-", MINUS)


def label(name: object) -> str:
    """The name of a column, metric, model or cohort in words.

    >>> label("ndcg_at_10"), label("rejected_ratio"), label("member_count"), label("kept")
    ('NDCG@10', 'rejected', 'members', 'accepted')
    """
    text = str(name)
    if text in NAMES:
        return NAMES[text]
    text = text.removesuffix("_ratio")
    if text.endswith("_count"):
        text = text.removesuffix("_count") + "s"
    words = text.replace("_at_", "@").replace("_", " ").split(" ")
    return " ".join(word.upper() if _is_acronym(word) else word for word in words)


def _is_acronym(word: str) -> bool:
    return word.partition("@")[0] in ACRONYMS


def is_lower_better(metric: str) -> bool:
    return metric.removeprefix("session_").startswith(LOWER_IS_BETTER)


def headline(metric: str) -> str:
    """A metric as the title of its chart.

    >>> headline("ndcg@10"), headline("calibration_kl@10")
    ('NDCG@10', 'calibration KL@10, lower is better')
    """
    return label(metric) + (", lower is better" if is_lower_better(metric) else "")


def plural(count: int, noun: str) -> str:
    """`1 rule`, `2 rules`.

    >>> plural(1, "rule"), plural(2, "rule")
    ('1 rule', '2 rules')
    """
    return f"{show(count)} {noun}{'' if count == 1 else 's'}"


def unique(values: Iterable[Any]) -> list[Any]:
    """Each value once, in the order of its first appearance."""
    return list(dict.fromkeys(values))
