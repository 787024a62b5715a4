"""Title features of the training frame."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="frame_title_features",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No title is known: there is nothing to recommend. "
            "Cause: the catalogue did not arrive. "
            "Action: land a snapshot of titles and run again.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="title_id",
            notes="A title has two rows in the matrix. "
            "Cause: `titles` has the title twice, or Feast returned two rows. "
            "Action: run once with --full-refresh, and report the model if it comes back.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="title_kind",
            mostly=0.9,
            notes="Titles without contents: the frame was made for an instant before them.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 titles or more, at least half have a genre.",
            unexpected_rows_query="""
                select count_if(len(genres) > 0) as with_genres, count(*) as title_count
                from {batch}
                having count(*) >= 100 and 2 * count_if(coalesce(len(genres), 0) > 0) < count(*)
            """,
            notes="Most titles have no genre: a cold title is known by little else.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="The title_ids are those of `titles`, no more and no fewer.",
            unexpected_rows_query="""
                select titles.title_id as in_catalogue, here.title_id as in_frame
                from titles
                full join {batch} as here on titles.title_id = here.title_id
                where titles.title_id is null or here.title_id is null
                order by 1, 2
            """,
            notes="A title that is not in the frame is in no slate. "
            "Cause: the frame was made before the warehouse was built. "
            "Action: run the night again from the start.",
            severity="critical",
        ),
    ],
)
