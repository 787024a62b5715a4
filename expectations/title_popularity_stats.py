"""Popularity of titles: it is what members without a history are shown."""

import great_expectations.expectations as gxe

from matinee.validation.feature_suite import PLAYS, RATINGS, feature_suite

SUITE = feature_suite(
    "title_popularity_stats",
    key=["title_id"],
    made_from=[PLAYS, RATINGS],
    empty="No title is popular: no plays or ratings arrived, or no member consents.",
    checks=[
        gxe.ExpectColumnValuesToBeBetween(
            column="mean_rating",
            min_value=0,
            max_value=10,
            notes="A mean rating is outside of 0 to 10 stars. "
            "Cause: ratings on another scale (0 to 100, thumbs) arrived as stars. "
            "Action: give each rating its rating_kind in the export and land it again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 plays or more in 28 days, no title has more than 0.9 of all.",
            unexpected_rows_query="""
                with latest as (
                    select title_id, play_count_28d
                    from {batch}
                    qualify row_number() over (partition by title_id order by observed_at desc) = 1
                )
                select title_id, play_count_28d
                from latest
                where play_count_28d >= 1000
                    and play_count_28d > 0.9 * (select sum(play_count_28d) from latest)
            """,
            notes="One title has nearly all plays: a default id, or a trailer on a front page.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="member_count_90d <= play_count_90d + rating_count_90d in every row.",
            unexpected_rows_query="""
                select title_id, observed_at
                from {batch}
                where member_count_90d > play_count_90d + rating_count_90d
                order by title_id, observed_at
            """,
            notes="More members than events: one of the counts leaves out what the other has.",
            severity="warning",
        ),
    ],
)
