"""Genres, people and themes that members like: cold members are described by them."""

import great_expectations.expectations as gxe

from matinee.validation.feature_suite import PLAYS, RATINGS, feature_suite

SUITE = feature_suite(
    "member_tastes",
    key=["member_id"],
    made_from=[PLAYS, RATINGS],
    empty="No member has a taste: no plays or ratings arrived, or no member consents.",
    checks=[
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 rows or more, at least half name a genre.",
            unexpected_rows_query="""
                select count_if(len(genres) > 0) as with_genres, count(*) as taste_count
                from {batch}
                having count(*) >= 1000 and 2 * count_if(len(genres) > 0) < count(*)
            """,
            notes="Events no longer match the genres of the catalogue: title ids were changed, or "
            "the catalogue lost its genres.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 members or more, at least 2 have different first genres.",
            unexpected_rows_query="""
                select min(genres[1]) as genre
                from {batch}
                where len(genres) > 0
                having count(distinct member_id) >= 1000 and min(genres[1]) = max(genres[1])
            """,
            notes="One first genre for all members is a default of the catalogue, and "
            "distinguishes no members.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Each genre has its affinity, and the affinities sum to at most 1.001.",
            unexpected_rows_query="""
                select member_id, observed_at
                from {batch}
                where len(genres) != len(genre_affinities) or list_sum(genre_affinities) > 1.001
                order by member_id, observed_at
            """,
            notes="Two lists that belong together differ in length, or shares sum to more than 1. "
            "Cause: the model member_tastes sorts or filters only one of the lists. "
            "Action: correct the model and run with --full-refresh.",
            severity="critical",
        ),
    ],
)
