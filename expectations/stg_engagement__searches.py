"""What searches must look like. What people typed is never looked at: examples of broken rows
are shown on pages, and queries are free text.
"""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_engagement__searches",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No searches: search intents are empty, and members are known by less.",
            severity="warning",
        ),
        *of_events(silence="Searches came every day and then did not: the export is down."),
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
