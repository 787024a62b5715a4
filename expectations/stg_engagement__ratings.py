"""What ratings must look like before anything is trained on them."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_engagement__ratings",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No ratings at all: right for a service that only has plays, else a lost export.",
            severity="warning",
        ),
        *of_events(silence="Ratings came every day and then did not: the export is down."),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 ratings of a kind or more, at most 95 % are equal.",
            unexpected_rows_query="""
                with valued as (
                    select rating_kind, value, count(*) as row_count
                    from {batch}
                    group by rating_kind, value
                )
                select rating_kind, max(row_count) as row_count, sum(row_count) as total
                from valued
                group by rating_kind
                having sum(row_count) >= 1000 and max(row_count) > 0.95 * sum(row_count)
            """,
            notes="Everyone gave the same: a default was logged, not an opinion.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 stars or more, some are above 5.",
            unexpected_rows_query="""
                select max(value) as highest
                from {batch}
                where rating_kind = 'stars'
                having count(*) >= 1000 and max(value) <= 5
            """,
            notes="Stars go to 10 here: a scale of 5 that was not doubled reads as dislike.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="No member gives a quarter of 1,000 ratings or more.",
            unexpected_rows_query="""
                select member_id, count(*) as rating_count
                from {batch}
                group by member_id
                having count(*) >= 1000 and count(*) > 0.25 * (select count(*) from {batch})
            """,
            notes="One member with a quarter of all ratings is a script or a default id.",
            severity="warning",
        ),
    ],
)
