"""Signals of the training frame."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="frame_signals",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No signals: no model can be trained. "
            "Cause: no member who consents has played or rated by the night's instant. "
            "Action: check the streams with `matinee doctor`, and the day given by --as-of.",
            severity="critical",
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "title_id", "observed_at"],
            notes="A signal counts twice. "
            "Cause: member_title_signals has it twice. "
            "Action: run once with --full-refresh, and report the model if it comes back.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="signal_milli",
            notes="A signal without a value becomes NaN, and one NaN spoils every embedding. "
            "Cause: a weight is missing in dbt_project.yml (signal_milli). "
            "Action: add the weight and run with --full-refresh.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="signal_milli",
            min_value=-100000,
            max_value=100000,
            notes="A signal this large makes embeddings diverge. "
            "Cause: the cap in dbt_project.yml (signal_milli.cap) was raised or is not applied. "
            "Action: restore the cap and run with --full-refresh.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="No observed_at is later than the instant of the night, and every "
            "interacted_at is earlier.",
            unexpected_rows_query="""
                select member_id, title_id, observed_at
                from {batch}, night
                where observed_at > as_of or interacted_at >= as_of
                order by member_id, title_id, observed_at
            """,
            notes="A model that has seen the future is evaluated too well and serves too badly. "
            "Cause: the frame was made for a later day than this night. "
            "Action: run the night again from the start.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every member_id is in `members` with may_personalise true.",
            unexpected_rows_query="""
                select distinct here.member_id
                from {batch} as here
                left join members on here.member_id = members.member_id
                where not coalesce(members.may_personalise, false)
                order by 1
            """,
            notes="A signal of a member who did not consent would be learned from. "
            "Cause: consent changed after the frame was made, or is not applied. "
            "Action: run the night again; if it comes back, correct the model `members`.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every member_id and every title_id has its row in the other two tables "
            "of the frame.",
            unexpected_rows_query="""
                select distinct here.member_id, here.title_id
                from {batch} as here
                left join frame_member_features as m on here.member_id = m.member_id
                left join frame_title_features as t on here.title_id = t.title_id
                where m.member_id is null or t.title_id is null
                order by 1, 2
            """,
            notes="A signal without its row in the matrix would count for another member or title. "
            "Cause: the tables of the frame were made by different runs. "
            "Action: run the night again from the start.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 signals or more, at most half are negative.",
            unexpected_rows_query="""
                select count_if(signal_milli < 0) as dislike_count, count(*) as act_count
                from {batch}
                having count(*) >= 1000 and 2 * count_if(signal_milli < 0) > count(*)
            """,
            notes="Most signals are dislikes: the model would recommend what nobody has tried.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 signals or more, no member has more than a tenth.",
            unexpected_rows_query="""
                select member_id, count(*) as act_count
                from {batch}
                group by member_id
                having count(*) >= 100 and 10 * count(*) > (select count(*) from {batch})
                    and (select count(*) from {batch}) >= 1000
                order by member_id
            """,
            notes="One member has a tenth of all signals, and shapes what all others are shown.",
            severity="warning",
        ),
    ],
)
