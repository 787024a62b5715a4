"""What consents must look like: they decide who is in the training data."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import lands_as_before
from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_accounts__consents",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No choices at all: everybody is treated as a member without a record.",
            severity="warning",
        ),
        newest_day_at_most(
            5,
            notes="Far more than a usual day is a repeated export, or a robot, until proven true.",
        ),
        newest_day_at_least(
            0.1,
            notes="A tenth of a usual day is a torn export.",
            severity="warning",
        ),
        lands_as_before(notes="Choices came every day and then did not: the export is down."),
        gxe.ExpectColumnValuesToBeUnique(
            column="event_id",
            notes="An event that counts twice: deduplication is not working.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of a week's 200 choices for a purpose or more, at most 98 % are equal.",
            unexpected_rows_query="""
                with newest as (
                    select purpose, granted from {batch}
                    where landed_on > (select max(landed_on) from {batch}) - 7
                )
                select purpose, count_if(granted) as granted_count, count(*) as choice_count
                from newest
                group by purpose
                having count(*) >= 200
                    and greatest(count_if(granted), count_if(not granted)) > 0.98 * count(*)
                order by purpose
            """,
            notes="All said the same: a form sends its default, which is nobody's choice.",
            severity="warning",
        ),
    ],
)
