"""What impressions must look like before anyone learns from what was shown."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import lands_as_before
from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_playback__impressions",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No impressions: nothing can be learnt about what was shown and not chosen.",
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
        lands_as_before(notes="Impressions came every day and then did not: the export is down."),
        gxe.ExpectColumnValuesToBeUnique(
            column="event_id",
            notes="An event that counts twice: deduplication is not working.",
            severity="critical",
        ),
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
