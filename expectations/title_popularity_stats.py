"""What popularity must look like: it is what members without a taste are shown."""

import great_expectations as gx
import great_expectations.expectations as gxe

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
    ],
)
