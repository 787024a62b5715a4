"""Searches of members. No expectation reads their text: examples of rows are shown on pages."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events

SUITE = gx.ExpectationSuite(
    name="stg_engagement__searches",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No searches: search intents are empty, and models know less of members.",
            severity="warning",
        ),
        *of_events(silence="Searches came every day and then did not: the export is down."),
        gxe.ExpectColumnValuesToBeBetween(
            column="result_count",
            max_value=1_000_000,
            mostly=0.999,
            notes="No catalogue has a million titles: the count is of something else.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 searches or more, at most half have no result.",
            unexpected_rows_query="""
                select count_if(result_count = 0) as no_result_count, count(*) as search_count
                from {batch}
                where result_count is not null
                having count(*) >= 1000 and 2 * count_if(result_count = 0) > count(*)
            """,
            notes="Most searches have no result: the search engine is down, or its index is empty.",
            severity="warning",
        ),
    ],
)
