"""`report.html`: one page to look at before saying yes. No scripts, nothing from outside."""

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.report import exposure as fairness
from matinee.report import sections
from matinee.report import validation as expectations
from matinee.report.markup import Child, Markup, element, join
from matinee.report.style import CSS
from matinee.report.words import Row, Rows, label, plural, rows_of, show

# Should a value ever slip through unescaped, the browser still runs and loads nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(
    fields: Mapping[str, Any],
    *,
    release_id: str,
    status: str | None = None,
    facts: Mapping[str, Any] | None = None,
    counts: Rows | None = None,
    validation: Rows | None = None,
    validation_history: Sequence[Row] = (),
    slates: Sequence[Row] = (),
    similar: Sequence[Row] = (),
    trends: Rows | None = None,
    trends_lead: str = "What members watched on each closed day; each chart starts at zero.",
    retention: Rows | None = None,
    history: Rows | None = None,
    exposure_history: Rows | None = None,
) -> str:
    """The page as text. A part without data is not on it.

    Parameters
    ----------
    fields
        The manifest or its fields. Shown of it: created_at, as_of, reason, `gate.rules` (rule,
        passed, observed, threshold, text), `gate.overrides` (rule, by, why), `evaluation`
        (plain facts on the protocol, and `metrics`: model, cohort, metric, mean, low, high, n),
        code, environment, determinism, dbt, features, model, privacy, inputs, set_aside (file,
        reason), warnings,
        dropped (stream, kept_from, files, rows, rejected_kept_from, rejected_rows).
    status
        `live`, `candidate` or `previous`, where that is known. A page inside a release cannot.
    facts
        More figures for the top of the page, by name.
    counts
        stream, received, kept, repeats, rejected.
    validation
        table, expectation, column, severity, success, observed, notes, [description].
    validation_history
        as_of, results: table, severity, success; oldest first, this release last.
    slates
        member_id, [note, source], rows: rank, name, [released_on, reason].
    similar
        name, rows: as in slates.
    trends
        name, day, value; days ascending.
    retention
        Any columns.
    history
        as_of, metric, mean, low, high; oldest first, this release last.
    exposure_history
        The same of what `fields["exposure"]` tells of this release.
    """
    told = fields.get("evaluation") or {}
    gate = fields.get("gate") or {}
    rules = rows_of(gate.get("rules"))
    found = [
        sections.gate(rules),
        sections.evaluation(told.get("metrics"), told),
        fairness.exposure(fields.get("exposure"), rows_of(exposure_history)),
        sections.slates(slates),
        sections.similar(similar),
        sections.counts(counts),
        sections.files(rows_of(fields.get("set_aside")), fields.get("warnings") or ()),
        sections.dropped(rows_of(fields.get("dropped"))),
        expectations.validation(
            validation,
            (fields.get("validation") or {}).get("drift", {}).get("verdict"),
            validation_history,
        ),
        sections.trends(trends, trends_lead),
        sections.retention(retention),
        sections.history(history),
        sections.origin(fields),
    ]
    shown = [section for section in found if section]
    menu = [element("a", title, href=f"#{anchor}") for anchor, title, _ in shown]
    body = [
        _header(release_id, status, _verdict(rules, rows_of(gate.get("overrides")))),
        _facts(fields, rows_of(counts), rows_of(validation), facts or {}),
        element("nav", menu, aria_label="Sections") if menu else None,
        element("main", [section for _, _, section in shown]),
        element(
            "footer", f"matinee, release {release_id}. Nothing on this page was loaded or run."
        ),
    ]
    return document(f"Release {release_id}", body)


def document(title: str, body: Child) -> str:
    """A whole page that runs nothing and loads nothing."""
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(CSS)),
    ]
    whole = element("html", element("head", head), element("body", body), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _header(release_id: str, status: str | None, verdict: Markup) -> Markup:
    date, _, rest = release_id.partition("-")
    brand = [
        element("span", element("b", "matinee"), " release report"),
        element("span", status, class_=f"pill {_KINDS.get(status, 'plain')}") if status else None,
    ]
    return element(
        "header",
        element("div", brand, class_="brand"),
        element("h1", date, element("span", f"-{rest}", class_="soft") if rest else None),
        verdict,
    )


_KINDS = {"live": "good", "candidate": "warn"}


def _verdict(rules: Sequence[Row], overrides: Sequence[Row]) -> Markup:
    failed = [str(rule["rule"]) for rule in rules if rule["passed"] is not True]
    kind, words, more = "good", f"All {plural(len(rules), 'gate rule')} held", ""
    if not rules:
        kind, words = "warn", "No gate has judged this release"
    elif failed:
        kind, words = "bad", f"Refused by {len(failed)} of {plural(len(rules), 'gate rule')}"
        more = ", ".join(failed)
    passed_over: Child = [
        element("span", f"{row['rule']} passed over by {row['by']}: {row['why']}")
        for row in overrides
    ]
    return element(
        "div", element("strong", words, class_="mark"), more, passed_over, class_=f"verdict {kind}"
    )


def _facts(
    fields: Mapping[str, Any],
    counts: Sequence[Row],
    validation: Sequence[Row],
    more: Mapping[str, Any],
) -> Markup:
    """The few figures that a reader looks for first."""
    told: dict[str, str] = {}
    for name in ("as_of", "created_at"):
        if fields.get(name):
            told[label(name)] = show(fields[name])
    told |= {label(name): show(value, name) for name, value in more.items()}
    if counts:
        received = sum(int(row["received"] or 0) for row in counts)
        rejected = sum(int(row["rejected"] or 0) for row in counts)
        told["rows received"] = show(received)
        told["rows rejected"] = show(rejected / received if received else 0.0, "rejected_ratio")
    if validation:
        held = sum(row["success"] is True for row in validation)
        told["expectations held"] = f"{show(held)} of {show(len(validation))}"
    pairs = [
        element("div", element("dt", name), element("dd", value)) for name, value in told.items()
    ]
    return element("dl", pairs, class_="facts") if pairs else join(None)
