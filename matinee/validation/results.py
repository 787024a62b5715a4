"""The results of all checks of a night, as plain values."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from matinee.errors import ExpectationError, printable_name

Severity = Literal["critical", "warning", "info"]
"""Stops the night, warns, or informs: of an absent stream that many services do not have."""

NOT_COMPARED = "no live release to compare with: no verdict"


@dataclass(frozen=True)
class Checked:
    """One expectation of one table, and what was seen."""

    table: str
    kind: str
    """Such as `expect_column_values_to_be_between`."""

    rule: dict[str, Any]
    """Its arguments, the column among them; of a query the sentence that describes it."""

    notes: str
    """Why it is expected: what its breach means."""

    severity: Severity
    success: bool
    observed: Any
    """The number or value looked at; None where rows are checked one by one."""

    unexpected_count: int
    """Rows that broke it; 0 where a table is checked as a whole."""

    examples: tuple[Any, ...] = ()
    """A few of the values that broke it, raw and without member ids: escape them to show them."""

    error: str | None = None
    """Why it could not be evaluated, which counts as broken."""

    accepts: str | None = None
    """How an operator may accept it: `volume` is `matinee run --accept-volume`."""

    @property
    def column(self) -> str | None:
        """The column it is about, if one."""
        return self.rule.get("column")

    @property
    def stops(self) -> bool:
        """Whether the night must not go on."""
        return not self.success and self.severity == "critical"

    @property
    def sentence(self) -> str:
        """What was expected and what was found, on one line, for the operator."""
        return self._sentence(self.examples[:1])

    @property
    def published(self) -> str:
        """The same without an example, which is a row of a member and an arbitrary one."""
        return self._sentence(())

    def _sentence(self, examples: tuple[Any, ...]) -> str:
        subject = self.rule.get("description") or self.column
        if self.error:
            found = f"could not be evaluated ({self.error})"
        elif self.unexpected_count:
            such = f", such as {printable_name(repr(examples[0]))}" if examples else ""
            found = f"broken by {self.unexpected_count:,} row(s){such}"
        else:
            found = f"broken by {self.observed!r}"
        name = f"{self.kind} ({subject.rstrip('.')})" if subject else self.kind
        return f"{self.table}: {name} {found}: {self.notes}"


@dataclass(frozen=True)
class Validation:
    """A whole night's checks, in order of table and of suite."""

    results: tuple[Checked, ...]
    """What follows from the logs alone, and so is content of a release."""

    drift: tuple[Checked, ...] = ()
    """What follows from the live release as well, and so is in the manifest only."""

    drift_verdict: str = NOT_COMPARED
    """Which release the night was compared with, or why with none."""

    accepted: frozenset[str] = frozenset()
    """What the operator has accepted, such as `volume`."""

    def __add__(self, later: "Validation") -> "Validation":
        """The checks of two steps of one night; the first knows what was compared and accepted."""
        return replace(self, results=self.results + later.results, drift=self.drift + later.drift)

    @property
    def everything(self) -> tuple[Checked, ...]:
        """Results and drift."""
        return self.results + self.drift

    @property
    def stops(self) -> list[Checked]:
        """Broken, critical and not accepted; volume first, because it explains the others."""
        stops = [one for one in self.everything if one.stops and one.accepts not in self.accepted]
        return sorted(stops, key=lambda one: one.accepts is None)

    @property
    def passed_over(self) -> list[Checked]:
        """Broken and critical, but accepted by an operator."""
        return [one for one in self.everything if one.stops and one.accepts in self.accepted]

    @property
    def warnings(self) -> list[Checked]:
        """Broken, but the night goes on."""
        broken = [one for one in self.everything if not one.success]
        return [one for one in broken if one.severity == "warning"]

    def raise_if_stopped(self) -> None:
        """The gate.

        Raises
        ------
        ExpectationError
            If a critical expectation is broken. One line: the first of them, of which tables
            more are, and what to do.
        """
        stops = self.stops
        if not stops:
            return
        tables = ", ".join(dict.fromkeys(one.table for one in stops[1:]))
        more = f" (and {len(stops) - 1} more, of {tables})" if tables else ""
        if stops[0].accepts:
            cure = f"or, if it is the truth, run again with `--accept-{stops[0].accepts}`"
        else:
            cure = f"or change expectations/{stops[0].table}.py if it is the truth, and run again"
        raise ExpectationError(f"{stops[0].sentence.rstrip('.')}{more}. Repair what landed, {cure}")

    def as_dict(self) -> dict[str, Any]:
        """Canonical and ready for JSON: the same logs give the same dict.

        Examples are left out, for which of many bad rows DuckDB meets first is chance.
        """
        return {
            "checked": len(self.results),
            "stopped": sum(one.stops for one in self.results),
            "warned": sum(not one.success and one.severity == "warning" for one in self.results),
            "results": [_facts_of(one) for one in self.results],
        }

    def facts(self) -> dict[str, Any]:
        """The validation block of the manifest: the number of checks, and the failed ones."""
        return {
            "expectations": len(self.results),
            "warnings": [one.published for one in self.warnings],
            "accepted": sorted(self.accepted),
            "passed_over": [one.published for one in self.passed_over],
            "drift": {
                "verdict": self.drift_verdict,
                "results": [_facts_of(one) for one in self.drift],
            },
        }

    def rows(self, results: Sequence[Checked] | None = None) -> list[dict[str, Any]]:
        """Flat rows for a table on a page, broken ones first. Values are raw: escape them."""
        ordered = sorted(
            self.everything if results is None else results,
            key=lambda one: (not one.stops, one.success),
        )
        return [
            {
                "table": one.table,
                "expectation": one.kind,
                "about": one.column or one.rule.get("description", ""),
                "result": self.state(one),
                "rows": one.unexpected_count,
                "observed": one.error or one.observed,
                "examples": ", ".join(map(str, one.examples)),
                "why": one.notes,
            }
            for one in ordered
        ]

    def state(self, one: Checked) -> str:
        """`passed`, `noted`, `warned`, `accepted` or `stopped`."""
        if one.success:
            return "passed"
        if one.stops:
            return "accepted" if one.accepts in self.accepted else "stopped"
        return "warned" if one.severity == "warning" else "noted"


def _facts_of(one: Checked) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name != "examples"}
