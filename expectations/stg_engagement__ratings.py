"""Ratings of members, before any model is trained with them."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_engagement__ratings",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No ratings: right for a service that only has plays, else the export is lost.",
            severity="warning",
        ),
        *of_events(silence="Ratings came every day and then did not: the export is down."),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 ratings of a kind or more, at most 0.95 have one value, apart "
            "from thumbs up.",
            # A service whose only button is a thumb up has one value, and every one is an opinion.
            unexpected_rows_query="""
                with valued as (
                    select rating_kind, value, count(*) as row_count
                    from {batch}
                    group by rating_kind, value
                )
                select rating_kind, max_by(value, row_count) as value, max(row_count) as row_count,
                    sum(row_count) as total
                from valued
                group by rating_kind
                having sum(row_count) >= 1000 and max(row_count) > 0.95 * sum(row_count)
                    and (rating_kind != 'thumbs' or max_by(value, row_count) < 0)
            """,
            notes="Nearly all ratings have one value: a default was logged, or members have no "
            "choice of another. They are learned from as they are.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 ratings in stars or more, at least 1 is above 5.",
            unexpected_rows_query="""
                select max(value) as highest
                from {batch}
                where rating_kind = 'stars'
                having count(*) >= 1000 and max(value) <= 5
            """,
            notes="Stars go from 0 to 10 here, and none is above 5: likes would read as dislikes. "
            "Cause: a scale of 5 stars was not doubled. "
            "Action: double the values in the export and land it again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of all ratings, no member with 1,000 or more has more than a quarter.",
            unexpected_rows_query="""
                select member_id, count(*) as rating_count
                from {batch}
                group by member_id
                having count(*) >= 1000 and count(*) > 0.25 * (select count(*) from {batch})
            """,
            notes="One member has a quarter of all ratings: a script, or a default id.",
            severity="warning",
        ),
    ],
)
