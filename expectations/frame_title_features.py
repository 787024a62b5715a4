"""What the model is told of titles must look like: `title_features` of the frame."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="frame_title_features",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No title is known: there is nothing to recommend.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="title_id",
            notes="A title in two rows of the matrix: one of them learns nothing.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="title_kind",
            mostly=0.9,
            notes="Titles without contents: the frame was asked at an instant before them.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 titles or more, at least half have a genre.",
            unexpected_rows_query="""
                select count_if(len(genres) > 0) as with_genres, count(*) as title_count
                from {batch}
                having count(*) >= 100 and 2 * count_if(coalesce(len(genres), 0) > 0) < count(*)
            """,
            notes="A new title is known by its genres alone; without them it finds nobody.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every title of the catalogue is in the frame, and no other.",
            unexpected_rows_query="""
                select titles.title_id as in_catalogue, here.title_id as in_frame
                from titles
                full join {batch} as here on titles.title_id = here.title_id
                where titles.title_id is null or here.title_id is null
                order by 1, 2
            """,
            notes="A title that is not in the frame is in nobody's slate.",
            severity="critical",
        ),
    ],
)
