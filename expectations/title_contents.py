"""What contents must look like: they carry titles that nobody has watched yet."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import none_from_the_future

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
        none_from_the_future(
            notes="A feature from the future: what is learned from it will not be there to use."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["title_id", "observed_at"],
            notes="Two rows for one instant: which one a model gets is chance.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every title in the catalogue has contents.",
            unexpected_rows_query="""
                select titles.title_id
                from titles
                left join {batch} as here on titles.title_id = here.title_id
                where here.title_id is null and not titles.is_retired
                order by 1
            """,
            notes="A title without contents is in no frame, and so in nobody's slate.",
            severity="critical",
        ),
    ],
)
