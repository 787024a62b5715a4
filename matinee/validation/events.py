"""What every staged table of events must look like, whatever the events say."""

from typing import Any

from matinee.validation.freshness import lands_as_before
from matinee.validation.queries import Severity
from matinee.validation.volume import newest_day_at_least, newest_day_at_most


def of_events(*, silence: str, torn: Severity | None = "warning") -> list[Any]:
    """As much landed as usual, on the days it usually does, and no event counts twice.

    Parameters
    ----------
    silence
        What it means when nothing came.
    torn
        How bad a tenth of a usual day is; None for a stream with too few rows to decide.
    """
    from great_expectations.expectations.core.expect_column_values_to_be_unique import (
        ExpectColumnValuesToBeUnique,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

    least = [
        newest_day_at_least(
            0.1,
            notes="A tenth of the usual rows landed, or less. "
            "Cause: the export stopped halfway, or files are missing. "
            "Action: land the files that are missing and run again.",
            severity=severity,
        )
        for severity in (torn,)
        if severity
    ]
    return [
        newest_day_at_most(
            5,
            notes="Far more rows landed than on a usual day. "
            "Cause: an export that ran twice, a robot, or a real event such as a premiere. "
            "Action: compare with the source, and accept the volume if it is right.",
        ),
        *least,
        lands_as_before(notes=silence),
        ExpectColumnValuesToBeUnique(
            column="event_id",
            notes="An event counts twice. "
            "Cause: two builds wrote the warehouse at once, or the base model no longer "
            "deduplicates. Action: run once with --full-refresh.",
            severity=FailureSeverity.CRITICAL,
        ),
    ]
