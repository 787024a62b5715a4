"""What profiles must look like as features."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import none_from_the_future

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
        none_from_the_future(
            notes="A feature from the future: what is learned from it will not be there to use."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "observed_at"],
            notes="Two rows for one instant: which one a model gets is chance.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="country",
            mostly=0.5,
            notes="Without a country nobody's windows or popular titles are known.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every member of the profiles may be personalised.",
            unexpected_rows_query="""
                select here.member_id
                from {batch} as here
                left join members on here.member_id = members.member_id
                where not coalesce(members.may_personalise, false)
                order by 1
            """,
            notes="A profile of someone who said no, or whom nobody knows: consent is not applied.",
            severity="critical",
        ),
    ],
)
