"""What the model is told of members must look like: `member_features` of the frame."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="frame_member_features",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody may be personalised: every slate is the same.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="member_id",
            notes="A member in two rows of the matrix: one of them learns nothing.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="member_id",
            notes="A row of nobody.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="country",
            mostly=0.5,
            notes="Most members without a country: profiles did not arrive at the frame.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every member who may be personalised is in the frame.",
            unexpected_rows_query="""
                select members.member_id
                from members
                left join {batch} as here on members.member_id = here.member_id
                where members.may_personalise and here.member_id is null
                order by 1
            """,
            notes="Who is not in the frame gets a list for strangers.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Nobody who may not be personalised is in the frame.",
            unexpected_rows_query="""
                select here.member_id
                from {batch} as here
                left join members on here.member_id = members.member_id
                where not coalesce(members.may_personalise, false)
                order by 1
            """,
            notes="Who said no must not be described to a model.",
            severity="critical",
        ),
    ],
)
