"""The part of the report page on expectations: tonight's, and those of the nights before."""

from collections.abc import Callable, Sequence

from matinee.report import tables
from matinee.report.markup import Child, Markup, element
from matinee.report.sections import Section, details, mark, section
from matinee.report.tables import Column
from matinee.report.words import Row, Rows, plural, rows_of, show, unique

_STATES = {
    "held": ("✓", "good"),
    "noted": ("·", "plain"),
    "warned": ("!", "warn"),
    "accepted": ("✗", "bad"),
    "stopped": ("✗", "bad"),
}
"""How a table came through a night, best first: a sign and a colour, and always the word."""


def validation(results: Rows | None, verdict: str | None, nights: Sequence[Row]) -> Section | None:
    """Which expectations held: those that did not come first, and open; then the last nights."""
    rows = rows_of(results)
    if not rows:
        return None
    broken = [row for row in rows if row["success"] is not True]
    columns = [
        tables.code("table"),
        Column("expectation", _expectation),
        Column(
            "verdict",
            lambda row: mark(row["success"] is True, "holds", row.get("severity") or "broken"),
        ),
        tables.number("observed"),
        tables.prose("why it matters", "notes"),
    ]
    every = tables.table(rows, columns, is_bad=lambda row: row["success"] is not True)
    held = len(rows) - len(broken)
    lead = f"{show(held)} of {plural(len(rows), 'expectation')} held on this night's data."
    return section(
        "validation",
        "Validation",
        f"{lead} Beside the live release: {verdict}." if verdict else lead,
        tables.table(broken, columns, is_bad=lambda _: True) if broken else None,
        _grid(nights),
        details("All expectations", every),
    )


def _grid(nights: Sequence[Row]) -> Markup | None:
    """A line a table, a column a night. Rows: as_of, results: table, success, severity."""
    if not nights:
        return None
    names = unique(result["table"] for night in nights for result in night["results"])
    columns = [tables.code("table")]
    columns += [
        Column(show(night["as_of"])[:10], _of_night(place)) for place, night in enumerate(nights)
    ]
    lines = [
        {
            "table": name,
            "nights": [
                [result for result in night["results"] if result["table"] == name]
                for night in nights
            ],
        }
        for name in names
    ]
    return element(
        "figure",
        element("figcaption", element("h3", "Each table, night by night")),
        tables.table(lines, columns),
    )


def _of_night(place: int) -> Callable[[Row], Child]:
    return lambda row: _cell(row["nights"][place])


def _cell(results: Sequence[Row]) -> Child:
    """The worst of a table's results; what should stop a night that was published was accepted."""
    if not results:
        return "not checked"
    states = [_state(result) for result in results]
    worst = max(states, key=list(_STATES).index)
    sign, kind = _STATES[worst]
    count = f" {states.count(worst)}" if worst != "held" else ""
    return element("span", f"{sign} {worst}{count}", class_=f"pill {kind}")


def _state(result: Row) -> str:
    if result["success"] is True:
        return "held"
    states = {"stopped": "stopped", "critical": "accepted", "warning": "warned"}
    return states.get(result["severity"], "noted")


def _expectation(row: Row) -> list[Child]:
    if row.get("description"):
        return [row["description"]]
    words = str(row["expectation"]).removeprefix("expect_").replace("_", " ")
    column = row.get("column")
    return [words, [" ", element("code", column)] if column else None]
