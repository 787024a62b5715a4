"""Impressions: what members were shown."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_playback__impressions",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No impressions: what was shown and not chosen is unknown.",
            severity="warning",
        ),
        *of_events(silence="Impressions came every day and then did not: the export is down."),
        gxe.ExpectColumnValuesToBeBetween(
            column="slot_propensity",
            min_value=0,
            strict_min=True,
            notes="A title was shown whose chance to be shown was zero: estimates divide by it. "
            "Cause: the page logs 0 where it does not know the propensity. "
            "Action: log null there, and land the export again.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="asset_propensity",
            min_value=0,
            strict_min=True,
            notes="An asset was shown whose chance to be shown was zero: estimates divide by it. "
            "Cause: the page logs 0 where it does not know the propensity. "
            "Action: log null there, and land the export again.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="row_index",
            max_value=200,
            mostly=0.999,
            notes="A shelf below 200 others: the index is a count that is never reset.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 impressions or more, at least 1 and at most half are clicked.",
            unexpected_rows_query="""
                select count_if(was_clicked) as click_count, count(*) as impression_count
                from {batch}
                having count(*) >= 1000
                    and (count_if(was_clicked) = 0 or 2 * count_if(was_clicked) > count(*))
            """,
            notes="Clicks are logged for nearly every impression, or for none.",
            severity="warning",
        ),
    ],
)
