"""Member features of the training frame."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="frame_member_features",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No member may be personalised: every slate would be the same. "
            "Cause: consents did not arrive, or all members refused. "
            "Action: check the consents stream and MATINEE_CONSENT_WITHOUT_RECORD.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="member_id",
            notes="A member has two rows in the matrix. "
            "Cause: `members` has the member twice, or Feast returned two rows. "
            "Action: run once with --full-refresh, and report the model if it comes back.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="member_id",
            notes="A row without a member. "
            "Cause: a feature table has a row without its key. "
            "Action: find it in marts/features, correct the model, and run with --full-refresh.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="country",
            mostly=0.5,
            notes="Most members have no country: their profiles did not reach the frame.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every member_id of `members` with may_personalise true is here.",
            unexpected_rows_query="""
                select members.member_id
                from members
                left join {batch} as here on members.member_id = here.member_id
                where members.may_personalise and here.member_id is null
                order by 1
            """,
            notes="A member who consents is not in the frame, and would get the popular slate. "
            "Cause: the frame was made before the warehouse was built. "
            "Action: run the night again from the start.",
            severity="critical",
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
            notes="A member who did not consent is in the frame. "
            "Cause: consent changed after the frame was made, or is not applied. "
            "Action: run the night again; if it comes back, correct the model `members`.",
            severity="critical",
        ),
    ],
)
