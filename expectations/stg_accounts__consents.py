"""What consents must look like: they decide who is in the training data."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_accounts__consents",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No choices at all: everybody is treated as a member without a record.",
            severity="warning",
        ),
        *of_events(silence="Choices came every day and then did not: the export is down."),
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
