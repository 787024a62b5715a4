"""The one form of our own expectations: a query that finds the rows that break it."""

from typing import Any, Literal

Severity = Literal["critical", "warning"]


def no_row(
    description: str, query: str, *, notes: str, severity: Severity, accepts: str | None = None
) -> Any:
    """An expectation that `query` finds nothing.

    Parameters
    ----------
    query
        `{batch}` is the table; `night` and all tables of the warehouse may be named beside it.
    accepts
        What the operator may accept a breach by: `volume` is `matinee run --accept-volume`.
    """
    from great_expectations.expectations.core.unexpected_rows_expectation import (
        UnexpectedRowsExpectation,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

    return UnexpectedRowsExpectation(
        description=description,
        unexpected_rows_query=query,
        notes=notes,
        severity=FailureSeverity(severity),
        meta={"accepts": accepts} if accepts else None,
    )
