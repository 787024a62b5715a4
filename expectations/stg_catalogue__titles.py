"""What the catalogue must look like: nothing is recommended that is not in it."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.drift import newest_day_between

SUITE = gx.ExpectationSuite(
    name="stg_catalogue__titles",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No titles: there is nothing to recommend.",
            severity="critical",
        ),
        newest_day_between(
            0.5,
            100,
            notes="A catalogue does not halve overnight: the snapshot is torn, and would retire "
            "every title it lacks.",
            severity="critical",
            days_to_know=1,
        ),
        gxe.ExpectColumnValueLengthsToBeBetween(
            column="name",
            min_value=1,
            max_value=500,
            mostly=0.99,
            notes="Names are shown to people: an empty or endless one is a broken export.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="runtime_seconds",
            min_value=10,
            max_value=24 * 60 * 60,
            mostly=0.99,
            notes="Minutes or milliseconds in place of seconds make every play look whole or void.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="At least half of 100 titles or more have a genre.",
            unexpected_rows_query="""
                select count_if(len(genres) > 0) as with_genres, count(*) as title_count
                from {batch}
                having count(*) >= 100 and 2 * count_if(len(genres) > 0) < count(*)
            """,
            notes="A new title is known by its genres alone; without them it finds nobody.",
            severity="warning",
        ),
    ],
)
