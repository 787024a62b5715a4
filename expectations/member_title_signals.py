"""Signals of members and titles: all that a model learns from."""

import great_expectations.expectations as gxe

from matinee.validation.feature_suite import PLAYS, RATINGS, feature_suite

SUITE = feature_suite(
    "member_title_signals",
    key=["member_id", "title_id"],
    made_from=[PLAYS, RATINGS],
    empty="No signals: no model can be trained. "
    "Cause: no plays or ratings arrived, no title was watched for long enough, or no member "
    "consents. Action: check these streams with `matinee doctor` and land what is missing.",
    empty_severity="critical",
    checks=[
        gxe.ExpectColumnMaxToBeBetween(
            column="signal_milli",
            min_value=1,
            notes="No signal is positive: there is no interaction to learn from. "
            "Cause: watched_seconds or ratings arrive as zeros, the weights in dbt_project.yml are "
            "zero, or runtime_seconds is missing: then 90 minutes are assumed, and short titles "
            "count as not watched. Action: correct the export or the weights.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="signal_milli",
            min_value=-100_000,
            max_value=100_000,
            notes="A signal this large makes embeddings diverge. "
            "Cause: the cap in dbt_project.yml (signal_milli.cap) was raised or is not applied. "
            "Action: restore the cap and run with --full-refresh.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 signals or more, at most half are negative.",
            unexpected_rows_query="""
                select count_if(signal_milli < 0) as dislike_count, count(*) as label_count
                from {batch}
                having count(*) >= 1000 and 2 * count_if(signal_milli < 0) > count(*)
            """,
            notes="Most signals are dislikes: a scale of 5 stars was not doubled to 10.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every title_id is in `titles`.",
            unexpected_rows_query="""
                select here.title_id
                from {batch} as here
                left join titles on here.title_id = titles.title_id
                where titles.title_id is null
                order by 1
            """,
            notes="A title that no catalogue ever had can be neither described nor shown. "
            "Cause: a snapshot of titles was erased, or its ids changed. "
            "Action: land the catalogue that has the title and run with --full-refresh.",
            severity="critical",
        ),
    ],
)
