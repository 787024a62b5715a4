"""Consents of members: they decide who is in the training frame."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_accounts__consents",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No consents: every member is treated as one without a record.",
            severity="warning",
        ),
        *of_events(silence="Consents came every day and then did not: the export is down."),
        gxe.UnexpectedRowsExpectation(
            description="Of 200 consents of the last 7 days for a purpose or more, at most 0.98 "
            "have one "
            "answer.",
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
            notes="Nearly all gave one answer: a form sends its default, which is nobody's choice.",
            severity="warning",
        ),
    ],
)
