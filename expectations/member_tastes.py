"""What tastes must look like: they carry members whom the model has not met."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import keeps_up_with, none_from_the_future

SUITE = gx.ExpectationSuite(
    name="member_tastes",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="Nobody has a taste: nothing was watched or rated, or nobody consents.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 tastes or more, at least half name a genre.",
            unexpected_rows_query="""
                select count_if(len(genres) > 0) as with_genres, count(*) as taste_count
                from {batch}
                having count(*) >= 1000 and 2 * count_if(len(genres) > 0) < count(*)
            """,
            notes="Acts no longer meet the catalogue's genres: titles are renumbered or stripped.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 members or more, not all have the same first genre.",
            unexpected_rows_query="""
                select min(genres[1]) as genre
                from {batch}
                where len(genres) > 0
                having count(distinct member_id) >= 1000 and min(genres[1]) = max(genres[1])
            """,
            notes="One genre for all is a default of the catalogue, and tells nobody apart.",
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
            column_list=["member_id", "observed_at"],
            notes="Two rows for one instant: which one a model gets is chance.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Each name has its share, and shares add up to one at most.",
            unexpected_rows_query="""
                select member_id, observed_at
                from {batch}
                where len(genres) != len(genre_affinities) or list_sum(genre_affinities) > 1.001
                order by member_id, observed_at
            """,
            notes="A list that is longer than the other gives a genre the share of its neighbour.",
            severity="critical",
        ),
    ],
)
