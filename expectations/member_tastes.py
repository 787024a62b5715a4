"""What tastes must look like: they carry members whom the model has not met."""

import great_expectations as gx
import great_expectations.expectations as gxe

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
    ],
)
