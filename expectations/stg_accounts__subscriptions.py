"""Subscriptions of members: they say who stays."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_accounts__subscriptions",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No subscriptions: plans are those of profiles, and churn is unknown.",
            severity="info",
        ),
        *of_events(silence="Subscriptions came every day and then did not: the export is down."),
        gxe.ExpectColumnValuesToBeBetween(
            column="price_minor",
            min_value=0,
            max_value=100000,
            mostly=0.99,
            notes="A price above 1,000 a month has lost its decimals.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every row with a price_minor has a currency.",
            unexpected_rows_query="""
                select event_id, price_minor
                from {batch}
                where price_minor is not null and currency is null
                order by event_id
            """,
            notes="Amounts without a currency cannot be summed.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 changes of the newest landed day or more, at most half are "
            "cancellations.",
            unexpected_rows_query="""
                with newest as (
                    select kind from {batch}
                    where landed_on = (select max(landed_on) from {batch})
                )
                select count_if(kind = 'cancel') as cancel_count, count(*) as change_count
                from newest
                having count(*) >= 100 and 2 * count_if(kind = 'cancel') > count(*)
            """,
            notes="Most changes of the day are cancellations: payments failed, or a price rose.",
            severity="warning",
        ),
    ],
)
