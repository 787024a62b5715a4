"""The suite of a table of marts/features: what all of them must be, and what one of them adds."""

from collections.abc import Sequence
from typing import Any

from matinee.validation.freshness import keeps_up_with, none_from_the_future
from matinee.validation.queries import Severity

PLAYS = "stg_playback__plays"
RATINGS = "stg_engagement__ratings"
SEARCHES = "stg_engagement__searches"


def feature_suite(
    table: str,
    *,
    key: Sequence[str],
    empty: str,
    checks: Sequence[Any],
    made_from: Sequence[str] = (),
    empty_severity: Severity = "warning",
) -> Any:
    """Rows, one per key and instant, none later than the night, and as new as their events.

    Parameters
    ----------
    key
        The columns that name what a row is about; with `observed_at` they are unique.
    empty
        The notes of a table without rows.
    checks
        What only this table must be.
    made_from
        The staged events of which each makes a new row. Without any there is no bound on
        the age of the newest row: a profile changes only when a member changes it.
    """
    import great_expectations as gx
    from great_expectations.expectations.core.expect_compound_columns_to_be_unique import (
        ExpectCompoundColumnsToBeUnique,
    )
    from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
        ExpectTableRowCountToBeBetween,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

    return gx.ExpectationSuite(
        name=table,
        expectations=[
            ExpectTableRowCountToBeBetween(
                min_value=1, notes=empty, severity=FailureSeverity(empty_severity)
            ),
            *checks,
            *(keeps_up_with(*events) for events in [made_from] if events),
            none_from_the_future(),
            ExpectCompoundColumnsToBeUnique(
                column_list=[*key, "observed_at"],
                notes="Two rows for one instant: which of them a model reads is undefined. "
                "Cause: an incremental build inserted a row that was there already. "
                "Action: run once with --full-refresh, and report the model if it comes back.",
                severity=FailureSeverity.CRITICAL,
            ),
        ],
    )
