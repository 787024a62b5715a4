"""What searches must look like. What people typed is never looked at: examples of broken rows
are shown on pages, and queries are free text.
"""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import lands_as_before
from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_engagement__searches",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No searches: search intents are empty, and members are known by less.",
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
        lands_as_before(notes="Searches came every day and then did not: the export is down."),
        gxe.ExpectColumnValuesToBeUnique(
            column="event_id",
            notes="An event that counts twice: deduplication is not working.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="result_count",
            max_value=1_000_000,
            mostly=0.999,
            notes="No catalogue is that long; the count is of something else.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 searches or more, at most half find nothing.",
            unexpected_rows_query="""
                select count_if(result_count = 0) as no_result_count, count(*) as search_count
                from {batch}
                where result_count is not null
                having count(*) >= 1000 and 2 * count_if(result_count = 0) > count(*)
            """,
            notes="The search engine is down or its index is empty.",
            severity="warning",
        ),
    ],
)
