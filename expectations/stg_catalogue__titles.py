"""What the catalogue must look like: nothing is recommended that is not in it."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import newest_within
from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_catalogue__titles",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No titles: there is nothing to recommend.",
            severity="critical",
        ),
        newest_day_at_least(
            0.5,
            notes="A catalogue does not halve overnight: the snapshot is torn, and would retire "
            "every title it lacks.",
            severity="critical",
            days_to_know=1,
        ),
        newest_day_at_most(
            10,
            notes="A catalogue does not grow tenfold overnight: another one was joined to it.",
            days_to_know=1,
        ),
        newest_within(
            35, notes="A catalogue a month old recommends what has left, and nothing that came."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["title_id", "landed_on"],
            notes="A title twice in one snapshot: which of the two is shown is chance.",
            severity="critical",
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
