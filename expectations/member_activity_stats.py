"""Activity of members: it sorts members into cohorts."""

import great_expectations.expectations as gxe

from matinee.validation.feature_suite import PLAYS, RATINGS, feature_suite

SUITE = feature_suite(
    "member_activity_stats",
    key=["member_id"],
    made_from=[PLAYS, RATINGS],
    empty="No member was active: no plays or ratings arrived, or no member consents.",
    checks=[
        gxe.ExpectColumnValuesToBeBetween(
            column="watched_seconds_7d",
            max_value=4 * 7 * 24 * 60 * 60,
            mostly=0.999,
            notes="A member watched more than four screens can play in a week. "
            "Cause: watched_seconds in milliseconds, or one id for many members. "
            "Action: correct the unit or the id in the plays export and land it again.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="play_count_7d",
            max_value=5_000,
            mostly=0.999,
            notes="A member has a play every two minutes for a week. "
            "Cause: a player that sends the same play in a loop with new ids, or a script. "
            "Action: remove these plays from the export and land it again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="completion_milli_28d <= 1000 * play_count_28d in every row.",
            unexpected_rows_query="""
                select member_id, observed_at
                from {batch}
                where completion_milli_28d > 1000 * play_count_28d
                order by member_id, observed_at
            """,
            notes="The mean part watched of a member's plays is above 1. "
            "Cause: plays are counted with a limit and their parts without it. "
            "Action: correct the model int_member_title_days__summed and run with --full-refresh.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="play_count_7d <= play_count_28d <= play_count_90d in every row.",
            unexpected_rows_query="""
                select member_id, observed_at
                from {batch}
                where play_count_7d > play_count_28d or play_count_28d > play_count_90d
                order by member_id, observed_at
            """,
            notes="A short window counts more plays than a longer one that holds it. "
            "Cause: the windows of the model are not cut on the same clock. "
            "Action: correct the model member_activity_stats and run with --full-refresh.",
            severity="critical",
        ),
    ],
)
