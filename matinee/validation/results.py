"""What a night's checks found, as plain values: every one of them, none in silence."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from matinee.errors import ExpectationError

Severity = Literal["critical", "warning", "info"]


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
    """The number or value looked at; None where rows are judged one by one."""

    unexpected_count: int
    """Rows that broke it; 0 where a table is judged as a whole."""

    examples: tuple[Any, ...] = ()
    """A few of the values that broke it, raw: escape them before you show them."""

    error: str | None = None
    """Why it could not be judged, which counts as broken."""

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
        """What was expected and what was found, on one line."""
        subject = self.column or self.rule.get("description")
        if self.error:
            found = f"could not be judged ({self.error})"
        elif self.unexpected_count:
            such = f", such as {self.examples[0]!r}" if self.examples else ""
            found = f"broken by {self.unexpected_count:,} row(s){such}"
        else:
            found = f"broken by {self.observed!r}"
        name = f"{self.kind} ({subject.rstrip('.')})" if subject else self.kind
        return f"{self.table}: {name} {found}: {self.notes}"


@dataclass(frozen=True)
class Validation:
    """A whole night's checks, in order of table and of suite."""

    results: tuple[Checked, ...]

    @property
    def stops(self) -> list[Checked]:
        """Broken and critical."""
        return [one for one in self.results if one.stops]

    @property
    def warnings(self) -> list[Checked]:
        """Broken, but the night goes on."""
        return [one for one in self.results if not one.success and not one.stops]

    def raise_if_stopped(self) -> None:
        """The gate.

        Raises
        ------
        ExpectationError
            If a critical expectation is broken. One line: the first of them, how many more,
            and what to do.
        """
        stops = self.stops
        if not stops:
            return
        more = f" (and {len(stops) - 1} more)" if len(stops) > 1 else ""
        raise ExpectationError(
            f"{stops[0].sentence.rstrip('.')}{more}. Repair what landed, or change "
            f"expectations/{stops[0].table}.py if it is the truth, and run again"
        )

    def as_dict(self) -> dict[str, Any]:
        """Canonical and ready for JSON: the same data gives the same dict.

        Examples are left out, for which of many bad rows DuckDB meets first is chance.
        """
        return {
            "checked": len(self.results),
            "stopped": len(self.stops),
            "warned": len(self.warnings),
            "results": [
                {name: value for name, value in asdict(one).items() if name != "examples"}
                for one in self.results
            ],
        }

    def rows(self, results: Sequence[Checked] | None = None) -> list[dict[str, Any]]:
        """Flat rows for a table on a page, broken ones first. Values are raw: escape them."""
        ordered = sorted(
            self.results if results is None else results,
            key=lambda one: (not one.stops, one.success),
        )
        return [
            {
                "table": one.table,
                "expectation": one.kind,
                "about": one.column or one.rule.get("description", ""),
                "result": "passed" if one.success else "stopped" if one.stops else "warned",
                "rows": one.unexpected_count,
                "observed": one.error or one.observed,
                "examples": ", ".join(map(str, one.examples)),
                "why": one.notes,
            }
            for one in ordered
        ]
