"""What profiles must look like as features."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="member_profiles",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody may be personalised: consents are lost, or everyone refused.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 members or more, fewer than 300 countries.",
            unexpected_rows_query="""
                select count(distinct country) as country_count
                from {batch}
                having count(distinct member_id) >= 1000 and count(distinct country) > 300
            """,
            notes="The world has 250 countries: free text here becomes features nobody shares.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 members or more, fewer than 100 plans.",
            unexpected_rows_query="""
                select count(distinct plan) as plan_count
                from {batch}
                having count(distinct member_id) >= 1000 and count(distinct plan) > 100
            """,
            notes="A plan for every member is an id, and an id as a feature learns nothing.",
            severity="warning",
        ),
    ],
)
