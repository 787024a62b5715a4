"""What labels must look like: a model learns nothing but these."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import keeps_up_with, none_from_the_future

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
        keeps_up_with(
            "stg_playback__plays",
            "stg_engagement__ratings",
            notes="Acts go on and this does not: a night added nothing to what was there.",
        ),
        none_from_the_future(
            notes="A feature from the future: what is learned from it will not be there to use."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "title_id", "observed_at"],
            notes="A label that counts twice.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every label is of a title in the catalogue.",
            unexpected_rows_query="""
                select here.title_id
                from {batch} as here
                left join titles on here.title_id = titles.title_id
                where titles.title_id is null
                order by 1
            """,
            notes="A title that no catalogue ever had cannot be described, nor shown.",
            severity="critical",
        ),
    ],
)
