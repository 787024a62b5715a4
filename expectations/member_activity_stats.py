"""What activity must look like: it sorts members into heavy, light and cold."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import keeps_up_with, none_from_the_future

SUITE = gx.ExpectationSuite(
    name="member_activity_stats",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody was active: nothing arrived, or nobody consents.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="watched_seconds_7d",
            max_value=4 * 7 * 24 * 60 * 60,
            mostly=0.999,
            notes="More than four screens day and night is not one member.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="play_count_7d",
            max_value=5_000,
            mostly=0.999,
            notes="A play every two minutes for a week is a player in a loop.",
            severity="critical",
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
            column_list=["member_id", "observed_at"],
            notes="Two rows for one instant: which one a model gets is chance.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="A longer window holds what a shorter one does.",
            unexpected_rows_query="""
                select member_id, observed_at
                from {batch}
                where play_count_7d > play_count_28d or play_count_28d > play_count_90d
                order by member_id, observed_at
            """,
            notes="More plays in a week than in its month: windows are cut on two clocks.",
            severity="critical",
        ),
    ],
)
