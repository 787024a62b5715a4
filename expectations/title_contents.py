"""What contents must look like: they carry titles that nobody has watched yet."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="title_contents",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No contents: a new title could be recommended to nobody.",
            severity="critical",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="title_kind",
            value_set=["movie", "series"],
            notes="A kind of title that no page knows how to show.",
            severity="critical",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="release_decade",
            value_set=[f"{year}s" for year in range(1870, 2110, 10)],
            notes="Films begin in the 1870s; another decade is a broken date.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="The catalogue knows fewer than 1,000 genres.",
            unexpected_rows_query="""
                select count(distinct genre) as genre_count
                from (select unnest(genres) as genre from {batch})
                having count(distinct genre) >= 1000
            """,
            notes="A list that was not split becomes one genre a title, which no two titles share.",
            severity="critical",
        ),
    ],
)
