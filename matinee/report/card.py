"""`card.md`: the model card of a release (Mitchell et al., 2019), from its manifest's numbers.

Mitchell, M. et al. Model Cards for Model Reporting. FAT* 2019.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from matinee.report.plots import plots
from matinee.report.words import Row, label, plural, rows_of, show, unique

_SPACE = re.compile(r"[^\S\u202f]+")  # the narrow space within numbers stays
_SPECIAL = re.compile(r"[\\`*\[\]|#~]|(?<!\w)_|_(?!\w)")

INTENDED_USE = (
    "Ordered lists of titles for the members of one streaming service, made nightly from its own "
    "logs. The people in charge are the service's own.",
    "Out of scope: deciding anything about a person (price, eligibility, age), and members of "
    "another service.",
)
ETHICS = (
    "Members without consent to personalisation are in no training row, and their list is not "
    "made from what they did.",
    "Identifiers are pseudonyms. Gender and birth year are not features of the model; groups are "
    "compared by them to see whom it serves less well.",
    "Reasons name titles and tastes, never other members.",
)
CAVEATS = (
    "Offline numbers say how well held-out choices are predicted, not what a list causes.",
    "Logs show what was watched among what was shown: titles never shown look unloved.",
    "Intervals cover the sampling of members only, not another day, season or catalogue.",
)


def card(fields: Mapping[str, Any], *, release_id: str) -> str:
    """The card as Markdown. A section without facts says so in one line.

    Parameters
    ----------
    fields
        The manifest or its fields; the same that `page` reads.
    """
    told = fields.get("evaluation") or {}
    metrics = rows_of(told.get("metrics"))
    protocol = {name: value for name, value in told.items() if name != "metrics"}
    parts = [
        f"# Model card: release {_text(release_id)}",
        _verdict(fields),
        _section(
            "Model details",
            _facts({name: fields.get(name) for name in ("created_at", "as_of", "reason")}),
            _facts(fields.get("model")),
            _facts(fields.get("features"), "Features"),
            _facts(fields.get("code"), "Code"),
            _facts(fields.get("environment"), "Environment"),
            _facts(fields.get("determinism"), "Determinism"),
        ),
        _section("Intended use", *INTENDED_USE),
        _section("Factors", _cohorts(metrics)),
        _section("Metrics", _metrics(metrics), _gate(fields)),
        _section("Evaluation data", _facts(protocol)),
        _section("Training data", _inputs(fields), _facts(fields.get("privacy"), "Privacy")),
        _section("Quantitative analyses", *_plots(fields), *_numbers(metrics), *_exposure(fields)),
        _section("Ethical considerations", *ETHICS, _facts(fields.get("authenticity"))),
        _section("Caveats and recommendations", *CAVEATS),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, *content: str | None) -> str:
    found = [part for part in content if part] or ["Nothing was recorded."]
    return "\n\n".join([f"## {title}", *found])


def _verdict(fields: Mapping[str, Any]) -> str:
    gate = fields.get("gate") or {}
    rules = rows_of(gate.get("rules"))
    failed = [_text(rule["rule"]) for rule in rules if rule["passed"] is not True]
    if not rules:
        lines = ["No gate has judged this release."]
    elif failed:
        lines = [
            f"**Refused by {len(failed)} of {plural(len(rules), 'rule')}:** {', '.join(failed)}."
        ]
    else:
        lines = [f"**All {plural(len(rules), 'gate rule')} held.**"]
    lines += [
        f"**Override:** {_text(row['rule'])}, by {_text(row['by'])}: {_text(row['why'])}"
        for row in rows_of(gate.get("overrides"))
    ]
    return "\n\n".join(lines)


def _cohorts(metrics: Sequence[Row]) -> str | None:
    names = [_text(label(str(cohort))) for cohort in unique(row["cohort"] for row in metrics)]
    if not names:
        return None
    return f"Judged for {', '.join(names)} apart: a mean over all hides whom a model fails."


def _metrics(metrics: Sequence[Row]) -> str | None:
    names = [_text(label(str(metric))) for metric in unique(row["metric"] for row in metrics)]
    if not names:
        return None
    return f"{', '.join(names)}, each with a 95 % bootstrap interval over members."


def _gate(fields: Mapping[str, Any]) -> str | None:
    rules = rows_of((fields.get("gate") or {}).get("rules"))
    if not rules:
        return None
    rows = [
        [
            rule["rule"],
            "holds" if rule["passed"] is True else "refused",
            show(rule.get("observed")),
            show(rule.get("threshold")),
            rule.get("text") or "",
        ]
        for rule in rules
    ]
    return _table(["rule", "verdict", "observed", "threshold", "what it asks"], rows)


def _numbers(metrics: Sequence[Row]) -> list[str]:
    """One table a metric: models across, cohorts down."""
    tables = []
    for metric in unique(row["metric"] for row in metrics):
        rows = [row for row in metrics if row["metric"] == metric]
        models = unique(row["model"] for row in rows)
        found = {(row["cohort"], row["model"]): row for row in rows}
        body = [
            [label(str(cohort)), *(_interval(found.get((cohort, model))) for model in models)]
            for cohort in unique(row["cohort"] for row in rows)
        ]
        tables.append(f"### {_text(label(str(metric)))}")
        tables.append(_table(["cohort", *map(str, models)], body))
    return tables


def _plots(fields: Mapping[str, Any]) -> list[str]:
    """The charts, which lie beside the card."""
    return [f"![{_text(title)}]({name})" for name, (title, _) in plots(fields).items()]


def _exposure(fields: Mapping[str, Any]) -> list[str]:
    """Who is shown what, and how well which members are served."""
    found = fields.get("exposure") or {}
    whole = {
        name: found[name] for name in ("effective_titles", "coverage", "gini") if name in found
    }
    parts = [_facts(whole, "Exposure: first places as a whole")]
    for title, name in (
        ("Exposure: popularity of what is watched and shown, by taste", "lift"),
        ("Exposure: shares of the catalogue, of watching and of first places", "providers"),
        ("Exposure: raised by policy", "raised"),
        ("NDCG@10 of groups of members beside everybody else", "gaps"),
    ):
        rows = found.get(name) or []
        if rows:
            columns = [label(column) for column in rows[0]]
            body = [[show(value, column) for column, value in row.items()] for row in rows]
            parts += [f"### {_text(title)}", _table(columns, body)]
    if price := found.get("price_of_raising"):
        lead, low, high = (f"{price[name]:+.4f}" for name in ("lead", "lead_low", "lead_high"))
        parts.append(f"What is raised changes NDCG@10 by {lead} (95 %: {low} to {high}).")
    if found.get("gaps"):
        parts.append("Gender and birth year are read for this table only, never by the model.")
    return [part for part in parts if part]


def _interval(row: Row | None) -> str:
    if row is None or row["mean"] is None:
        return show(None)
    around = ""
    if row["low"] is not None and row["high"] is not None:
        around = f" ({show(row['low'])} to {show(row['high'])})"
    among = f", n = {show(row['n'])}" if row.get("n") is not None else ""
    return f"{show(row['mean'])}{around}{among}"


def _inputs(fields: Mapping[str, Any]) -> str | None:
    inputs = rows_of(fields.get("inputs"))
    if not inputs:
        return None
    rows = sum(int(entry.get("rows") or 0) for entry in inputs)
    return (
        f"{plural(len(inputs), 'landing file')} with {plural(rows, 'row')}, "
        f"each named with its sha256 in the manifest."
    )


def _facts(facts: Mapping[str, Any] | None, title: str | None = None) -> str | None:
    lines = [
        f"- {_text(label(name))}: {_text(show(value, name))}"
        for name, value in (facts or {}).items()
        if value is not None
    ]
    if not lines:
        return None
    return "\n".join([f"### {title}\n", *lines] if title else lines)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    dashes = 1
    return "\n".join(
        "| " + " | ".join(cell if i == dashes else _text(cell) for cell in map(str, line)) + " |"
        for i, line in enumerate(lines)
    )


def _text(value: Any) -> str:
    """A value that Markdown and HTML take for words and nothing else, on one line."""
    words = _SPACE.sub(" ", str(value)).strip()
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", words)
