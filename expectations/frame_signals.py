"""What the model learns from must look like, on the night it does: `signals` of the frame."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="frame_signals",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nothing to learn from.",
            severity="critical",
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "title_id", "observed_at"],
            notes="An act that counts twice outweighs another.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="signal_milli",
            notes="An act without a weight becomes NaN, and one NaN spoils every embedding.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="signal_milli",
            min_value=-100000,
            max_value=100000,
            notes="A weight of millions makes embeddings diverge.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="No act is later than the night.",
            unexpected_rows_query="""
                select member_id, title_id, observed_at
                from {batch}, night
                where observed_at > as_of or interacted_at >= as_of
                order by member_id, title_id, observed_at
            """,
            notes="A model that has seen the future is judged too well, and serves too badly.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every act is of a member who may be personalised.",
            unexpected_rows_query="""
                select distinct here.member_id
                from {batch} as here
                left join members on here.member_id = members.member_id
                where not coalesce(members.may_personalise, false)
                order by 1
            """,
            notes="Who said no must not be learned from.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every act is of a member and of a title that the frame describes.",
            unexpected_rows_query="""
                select distinct here.member_id, here.title_id
                from {batch} as here
                left join frame_member_features as m on here.member_id = m.member_id
                left join frame_title_features as t on here.title_id = t.title_id
                where m.member_id is null or t.title_id is null
                order by 1, 2
            """,
            notes="An act without a row in the matrix lands in somebody else's.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 acts or more, at most half are dislikes.",
            unexpected_rows_query="""
                select count_if(signal_milli < 0) as dislike_count, count(*) as act_count
                from {batch}
                having count(*) >= 1000 and 2 * count_if(signal_milli < 0) > count(*)
            """,
            notes="A model of what people avoid recommends what is left.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 acts or more, no member has a tenth.",
            unexpected_rows_query="""
                select member_id, count(*) as act_count
                from {batch}
                group by member_id
                having count(*) >= 100 and 10 * count(*) > (select count(*) from {batch})
                    and (select count(*) from {batch}) >= 1000
                order by member_id
            """,
            notes="One member with a tenth of all acts bends everybody's neighbourhood.",
            severity="warning",
        ),
    ],
)
