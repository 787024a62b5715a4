"""What popularity must look like: it is what members without a taste are shown."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import keeps_up_with, none_from_the_future

SUITE = gx.ExpectationSuite(
    name="title_popularity_stats",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nothing is popular: nothing arrived, or nobody consents.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="mean_rating",
            min_value=0,
            max_value=10,
            notes="Ratings are 0 to 10 stars; outside of it scales were mixed.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 plays or more in 28 days, no title has nine tenths.",
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
            notes="One title with nearly all plays is a default id, or a trailer on a front page.",
            severity="warning",
        ),
        keeps_up_with(
            "stg_playback__plays",
            "stg_engagement__ratings",
            notes="Acts go on and this does not: a night added nothing to what was there.",
        ),
        none_from_the_future(
            notes="A feature from the future: what is learned from it will not be there to use."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["title_id", "observed_at"],
            notes="Two rows for one instant: which one a model gets is chance.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="A title has no more members than plays and ratings.",
            unexpected_rows_query="""
                select title_id, observed_at
                from {batch}
                where member_count_90d > play_count_90d + rating_count_90d
                order by title_id, observed_at
            """,
            notes="More people than acts: one of the two counts what the other does not.",
            severity="warning",
        ),
    ],
)
