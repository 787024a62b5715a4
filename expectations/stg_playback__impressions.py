"""What impressions must look like before anyone learns from what was shown."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_playback__impressions",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No impressions: nothing can be learnt about what was shown and not chosen.",
            severity="warning",
        ),
        *of_events(silence="Impressions came every day and then did not: the export is down."),
        gxe.ExpectColumnValuesToBeBetween(
            column="slot_propensity",
            min_value=0,
            strict_min=True,
            notes="What was shown had a chance to be: zero makes estimates divide by nothing.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="asset_propensity",
            min_value=0,
            strict_min=True,
            notes="What was shown had a chance to be: zero makes estimates divide by nothing.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="row_index",
            max_value=200,
            mostly=0.999,
            notes="Nobody scrolls past 200 rows; higher is a count that is never reset.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 impressions or more, fewer than half are clicked, but some.",
            unexpected_rows_query="""
                select count_if(was_clicked) as click_count, count(*) as impression_count
                from {batch}
                having count(*) >= 1000
                    and (count_if(was_clicked) = 0 or 2 * count_if(was_clicked) > count(*))
            """,
            notes="Clicks are logged on every impression or on none.",
            severity="warning",
        ),
    ],
)
