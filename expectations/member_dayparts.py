"""What times of day must look like."""

import great_expectations as gx
import great_expectations.expectations as gxe

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
    ],
)
