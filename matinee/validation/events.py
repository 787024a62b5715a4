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
        How bad a tenth of a usual day is; None for a stream too thin to tell.
    """
    from great_expectations.expectations.core.expect_column_values_to_be_unique import (
        ExpectColumnValuesToBeUnique,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

    least = [
        newest_day_at_least(
            0.1, notes="A tenth of a usual day is a torn export.", severity=severity
        )
        for severity in (torn,)
        if severity
    ]
    return [
        newest_day_at_most(
            5,
            notes="Far more than a usual day is a repeated export, or a robot, until proven true.",
        ),
        *least,
        lands_as_before(notes=silence),
        ExpectColumnValuesToBeUnique(
            column="event_id",
            notes="An event that counts twice: deduplication is not working.",
            severity=FailureSeverity.CRITICAL,
        ),
    ]
