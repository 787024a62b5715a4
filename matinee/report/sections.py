"""The parts of the report page. Each returns nothing when there is nothing to tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.report import charts, tables
from matinee.report.markup import Child, Markup, element
from matinee.report.tables import Column
from matinee.report.words import Row, Rows, headline, label, plural, rows_of, show, unique

Section = tuple[str, str, Markup]
"""The anchor, the title as the menu shows it, and the section."""


def gate(rules: Sequence[Row]) -> Section | None:
    """Every rule of the gate and what was seen."""
    if not rules:
        return None
    columns = [
        tables.code("rule"),
        Column("verdict", lambda row: mark(row["passed"] is True, "holds", "refused")),
        tables.number("observed"),
        tables.number("threshold"),
        tables.prose("what it asks", "text"),
    ]
    return section(
        "gate",
        "Gate",
        "A release goes live only if every rule holds, or a person answers for it.",
        tables.table(rules, columns, is_bad=lambda row: row["passed"] is not True),
    )


def evaluation(metrics: Rows | None, protocol: Mapping[str, Any]) -> Section | None:
    """One chart a metric, and the numbers behind it."""
    rows = rows_of(metrics)
    if not rows:
        return None
    plain = {key: value for key, value in protocol.items() if key != "metrics" and _is_plain(value)}
    panels = [
        panel(
            headline(str(metric)),
            charts.dots_and_whiskers(
                [row for row in rows if row["metric"] == metric], metric=str(metric)
            ),
        )
        for metric in unique(row["metric"] for row in rows)
    ]
    columns = [tables.named(name) for name in ("metric", "cohort", "model")]
    columns += [tables.number(name) for name in ("mean", "low", "high", "n")]
    return section(
        "evaluation",
        "Evaluation",
        "Means with 95 % bootstrap intervals; the first model is the one on trial.",
        told(plain),
        element("div", panels, class_="panels"),
        details("All numbers", tables.table(rows, columns)),
    )


def counts(streams: Rows | None) -> Section | None:
    """What came in and what became of it."""
    rows = rows_of(streams)
    if not rows:
        return None

    def bar(row: Row) -> Markup:
        parts = [(kind, int(row.get(kind) or 0)) for kind in ("kept", "repeats", "rejected")]
        return charts.shares(parts, said=", ".join(f"{kind} {show(n)}" for kind, n in parts))

    columns = [
        tables.words("stream"),
        *(tables.number(name) for name in ("received", "kept", "repeats", "rejected")),
        Column("kept, repeated, rejected", bar),
    ]
    return section(
        "rows",
        "Rows",
        "Every raw row is kept, a repeat of one that is, or rejected with its reason.",
        tables.table(rows, columns),
    )


def files(set_aside: Sequence[Row], warnings: Sequence[str]) -> Section | None:
    """What landed and was not taken in, and what the contract does not know."""
    if not set_aside and not warnings:
        return None
    said = [{"file": row["file"], "reason": row["reason"]} for row in set_aside]
    columns = [tables.code("file"), tables.prose("why it was set aside", "reason")]
    return section(
        "files",
        "Files",
        "A file that is set aside is tried again every night until it is mended or gone.",
        tables.table(said, columns, is_bad=lambda _: True) if said else None,
        element("ul", [element("li", warning) for warning in warnings]) if warnings else None,
    )


def dropped(streams: Sequence[Row]) -> Section | None:
    """What this night dropped, because it was past its retention."""
    if not streams:
        return None
    return section(
        "dropped",
        "Dropped",
        "Rows past their retention leave the landing zone and every table; only counts stay.",
        tables.table(streams, tables.columns_of(streams)),
    )


def slates(members: Sequence[Row]) -> Section | None:
    """A few lists as members see them: each title with its reason."""
    if not members:
        return None
    cards = [
        element(
            "article",
            element(
                "div",
                element("h3", member["member_id"]),
                _pill(member.get("source")),
                class_="top",
            ),
            element("div", member["note"], class_="soft small") if member.get("note") else None,
            element("ol", [_slate_row(row) for row in rows_of(member["rows"])], class_="slate"),
            class_="panel",
        )
        for member in members
    ]
    lead = "A few members' lists as they are published, and the reason that each title carries."
    return section("slates", "Slates", lead, element("div", cards, class_="panels"))


def similar(titles: Sequence[Row]) -> Section | None:
    """The neighbours of a few well-known titles: a check anybody can make by eye."""
    if not titles:
        return None
    cards = [
        element(
            "article",
            element("h3", title["name"]),
            element("ol", [_slate_row(row) for row in rows_of(title["rows"])], class_="slate"),
            class_="panel",
        )
        for title in titles
    ]
    lead = "What the model puts next to titles that many know."
    return section("similar", "Similar titles", lead, element("div", cards, class_="panels"))


def trends(series: Rows | None, lead: str) -> Section | None:
    """Small multiples: one series a name over days. Rows: name, day, value; days in order."""
    rows = rows_of(series)
    if not rows:
        return None
    panels = []
    for name in unique(row["name"] for row in rows):
        values = [row["value"] for row in rows if row["name"] == name]
        days = [row["day"] for row in rows if row["name"] == name]
        said = (
            f"{name}: {show(values[0])} on {show(days[0])}, {show(values[-1])} on {show(days[-1])}"
        )
        panels.append(
            panel(
                str(name),
                charts.sparkline(values, said=said),
                aside=show(values[-1]),
            )
        )
    every = sorted(show(row["day"])[:10] for row in rows)
    lead = f"{lead} {every[0]} to {every[-1]}."
    return section("trends", "Trends", lead, element("div", panels, class_="panels small"))


def retention(numbers: Rows | None) -> Section | None:
    """Whatever columns the retention table has, a number aligned as a number."""
    rows = rows_of(numbers)
    if not rows:
        return None
    return section(
        "retention",
        "Retention",
        "Who stays, from the logs as they are: no forecast.",
        tables.table(rows, tables.columns_of(rows)),
    )


def history(releases: Rows | None) -> Section | None:
    """Metrics over releases. Rows: release_id, as_of, metric, mean, low, high; oldest first."""
    rows = rows_of(releases)
    if not rows:
        return None
    panels = []
    for metric in unique(row["metric"] for row in rows):
        of_metric = [row for row in rows if row["metric"] == metric and row["mean"] is not None]
        if of_metric:
            chart = charts.history(of_metric, metric=str(metric))
            panels.append(panel(label(str(metric)), chart))
    lead = "This release beside the ones before it; the band is the interval of each."
    return section("history", "Before this", lead, element("div", panels, class_="panels"))


def origin(fields: Mapping[str, Any]) -> Section | None:
    """Where it comes from: code, environment, settings, features, model, inputs."""
    names = ("code", "environment", "determinism", "dbt", "features", "model", "privacy")
    panels = [
        panel(label(name), told(fields[name]))
        for name in names
        if isinstance(fields.get(name), Mapping) and fields[name]
    ]
    inputs = rows_of(fields.get("inputs"))
    if not panels and not inputs:
        return None
    return section(
        "origin",
        "Origin",
        "What this release was made from; the manifest holds it, signed.",
        element("div", panels, class_="panels") if panels else None,
        details(plural(len(inputs), "input file"), tables.table(inputs, tables.columns_of(inputs)))
        if inputs
        else None,
    )


# ---------------------------------------------------------------------- pieces


def section(anchor: str, title: str, lead: str, *content: Child) -> Section:
    body = element(
        "section",
        element("h2", title, id=f"{anchor}-title"),
        element("p", lead, class_="lead"),
        content,
        id=anchor,
        aria_labelledby=f"{anchor}-title",
    )
    return anchor, title, body


def panel(title: str, *content: Child, aside: str | None = None) -> Markup:
    value = element("span", aside, class_="soft") if aside else None
    return element(
        "figure",
        element("div", element("h3", title), value, class_="top"),
        content,
        class_="panel",
    )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def details(title: str, content: Markup) -> Markup:
    return element("details", element("summary", title), content)


def told(facts: Mapping[str, Any]) -> Markup | None:
    if not facts:
        return None
    pairs = [
        [element("dt", label(name)), element("dd", _fact(name, value))]
        for name, value in facts.items()
    ]
    return element("dl", pairs, class_="told")


def _fact(name: str, value: Any) -> Child:
    if name.endswith("sha256") and isinstance(value, str):  # the whole of it is in the manifest
        return element("code", f"{value[:16]}…", title=value)
    return show(value, name)


def mark(is_good: bool, good: str, bad: str) -> Markup:
    sign, word, kind = ("✓", good, "good") if is_good else ("✗", bad, "bad")
    return element("span", f"{sign} {word}", class_=f"pill {kind}")


def _pill(text: Any) -> Markup | None:
    return element("span", label(str(text)), class_="pill plain") if text else None


def _slate_row(row: Row) -> Markup:
    year = str(row.get("released_on") or "")[:4]
    return element(
        "li",
        element("span", row["rank"], class_="rank"),
        element(
            "span",
            row["name"],
            element("span", f" {year}", class_="soft small") if year else None,
            class_="film",
        ),
        element("span", row["reason"], class_="why") if row.get("reason") else None,
    )
