"""What times of day must look like."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import keeps_up_with, none_from_the_future

SUITE = gx.ExpectationSuite(
    name="member_dayparts",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody has a time of day: nothing arrived, or nobody consents.",
            severity="warning",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="main_daypart",
            value_set=["morning", "afternoon", "evening", "night"],
            notes="A part of the day that no model knows.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="1,000 members or more do not all share a main time of day.",
            unexpected_rows_query="""
                select min(main_daypart) as main_daypart, count(distinct member_id) as member_count
                from {batch}
                having count(distinct member_id) >= 1000 and count(distinct main_daypart) = 1
            """,
            notes="Everyone at one hour is a clock that was cut off: dates in place of times.",
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
            column_list=["member_id", "observed_at"],
            notes="Two rows for one instant: which one a model gets is chance.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="The parts of a member's day are shares of one.",
            unexpected_rows_query="""
                select member_id, observed_at
                from {batch}
                where abs(morning_ratio + afternoon_ratio + evening_ratio + night_ratio - 1) > 0.001
                order by member_id, observed_at
            """,
            notes="Shares that do not add up weigh one member more than another.",
            severity="critical",
        ),
    ],
)
