"""The times of day at which members watch."""

import great_expectations.expectations as gxe

from matinee.validation.feature_suite import PLAYS, RATINGS, feature_suite

SUITE = feature_suite(
    "member_dayparts",
    key=["member_id"],
    made_from=[PLAYS, RATINGS],
    empty="No member has a time of day: no plays or ratings arrived, or no member consents.",
    checks=[
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="main_daypart",
            value_set=["morning", "afternoon", "evening", "night"],
            notes="A daypart that no model was trained with. "
            "Cause: the model member_dayparts has a new name for one. "
            "Action: use one of the four names, or add it here and to the features.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 members or more, at least 2 have different main_daypart.",
            unexpected_rows_query="""
                select min(main_daypart) as main_daypart, count(distinct member_id) as member_count
                from {batch}
                having count(distinct member_id) >= 1000 and count(distinct main_daypart) = 1
            """,
            notes="All members watch at one time of day: events have dates where they need times.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="The four ratios of a row sum to 1, give or take 0.001.",
            unexpected_rows_query="""
                select member_id, observed_at
                from {batch}
                where abs(morning_ratio + afternoon_ratio + evening_ratio + night_ratio - 1) > 0.001
                order by member_id, observed_at
            """,
            notes="Shares that do not sum to 1 give one member more weight than another. "
            "Cause: the model member_dayparts leaves out events, or counts some twice. "
            "Action: correct the model and run with --full-refresh.",
            severity="critical",
        ),
    ],
)
