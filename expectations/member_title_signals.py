"""What labels must look like: a model learns nothing but these."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="member_title_signals",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No labels: there is nothing to learn from.",
            severity="critical",
        ),
        gxe.ExpectColumnMaxToBeBetween(
            column="signal_milli",
            min_value=1,
            notes="Nobody liked anything: there is nothing to learn from.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="signal_milli",
            min_value=-100_000,
            max_value=100_000,
            notes="A weight of millions makes embeddings diverge; the cap in dbt is not working.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 labels or more, at most half are dislikes.",
            unexpected_rows_query="""
                select count_if(signal_milli < 0) as dislike_count, count(*) as label_count
                from {batch}
                having count(*) >= 1000 and 2 * count_if(signal_milli < 0) > count(*)
            """,
            notes="People watch what they like: mostly dislikes is a scale that was not doubled.",
            severity="warning",
        ),
    ],
)
