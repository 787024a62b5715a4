"""Contents of titles: cold titles are known by them alone."""

import great_expectations.expectations as gxe

from matinee.validation.feature_suite import feature_suite

SUITE = feature_suite(
    "title_contents",
    key=["title_id"],
    empty="No contents: no cold title could be recommended. "
    "Cause: the catalogue did not arrive. Action: land a snapshot of titles and run again.",
    empty_severity="critical",
    checks=[
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="title_kind",
            value_set=["movie", "series"],
            notes="A kind of title that no page can show. "
            "Cause: the catalogue has a new kind, or other words for these two. "
            "Action: map it to movie or series in the export, or add it here and to the pages.",
            severity="critical",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="release_decade",
            value_set=[f"{year}s" for year in range(1870, 2110, 10)],
            notes="Films begin in the 1870s; another decade is a broken date.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="The catalogue has fewer than 1,000 different genres.",
            unexpected_rows_query="""
                select count(distinct genre) as genre_count
                from (select unnest(genres) as genre from {batch})
                having count(distinct genre) >= 1000
            """,
            notes="So many genres that no two titles share one. "
            "Cause: a list of genres arrived as one text that was not split. "
            "Action: export genres as a list and land the catalogue again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every title_id of `titles` that is not retired is here.",
            unexpected_rows_query="""
                select titles.title_id
                from titles
                left join {batch} as here on titles.title_id = here.title_id
                where here.title_id is null and not titles.is_retired
                order by 1
            """,
            notes="A title without contents is in no training frame, and so in no slate. "
            "Cause: an incremental build left the title out. "
            "Action: run once with --full-refresh, and report the model if it comes back.",
            severity="critical",
        ),
    ],
)
