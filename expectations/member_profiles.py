"""Profiles of members as features."""

import great_expectations.expectations as gxe

from matinee.validation.feature_suite import feature_suite

SUITE = feature_suite(
    "member_profiles",
    key=["member_id"],
    empty="No member may be personalised: consents are lost, or all members refused.",
    checks=[
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 members or more, at most 300 different countries.",
            unexpected_rows_query="""
                select count(distinct country) as country_count
                from {batch}
                having count(distinct member_id) >= 1000 and count(distinct country) > 300
            """,
            notes="The world has 250 countries: free text here becomes features of one member.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 members or more, at most 100 different plans.",
            unexpected_rows_query="""
                select count(distinct plan) as plan_count
                from {batch}
                having count(distinct member_id) >= 1000 and count(distinct plan) > 100
            """,
            notes="A plan for every member is an id, and a model learns nothing from an id.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="country",
            mostly=0.5,
            notes="Most profiles have no country: availability and local popularity are unknown.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every member_id is in `members` with may_personalise true.",
            unexpected_rows_query="""
                select here.member_id
                from {batch} as here
                left join members on here.member_id = members.member_id
                where not coalesce(members.may_personalise, false)
                order by 1
            """,
            notes="A profile of a member who did not consent, or whom `members` does not have. "
            "Cause: the model member_profiles does not apply consent. "
            "Action: correct the model and run with --full-refresh; publish nothing before.",
            severity="critical",
        ),
    ],
)
