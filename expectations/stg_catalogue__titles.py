"""The catalogue: no title is recommended that is not in it."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import newest_within
from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_catalogue__titles",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No titles: there is nothing to recommend. "
            "Cause: the catalogue did not arrive, or all its rows were rejected. "
            "Action: see `matinee rejected --stream titles`, land a snapshot and run again.",
            severity="critical",
        ),
        newest_day_at_least(
            0.5,
            notes="The catalogue has halved in a day, and every title that it lacks would be "
            "retired. "
            "Cause: the snapshot is not complete. "
            "Action: land a complete snapshot of the same day and run again.",
            severity="critical",
            days_to_know=1,
        ),
        newest_day_at_most(
            10,
            notes="There are ten times as many titles as usual. "
            "Cause: the export ran more than once, or has the catalogue of another service. "
            "Action: land one clean snapshot, or accept the volume if it is right.",
            days_to_know=1,
        ),
        newest_within(
            35, notes="A catalogue a month old has titles that have left, and lacks new ones."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["title_id", "landed_on"],
            notes="A title is twice in one snapshot: which of the two is shown is undefined. "
            "Cause: the export joins titles with something they have several of. "
            "Action: export one row per title and land the snapshot again.",
            severity="critical",
        ),
        gxe.ExpectColumnValueLengthsToBeBetween(
            column="name",
            min_value=1,
            max_value=500,
            mostly=0.99,
            notes="Names are shown to members, and more than 1 in 100 is empty or endless. "
            "Cause: the export puts another column in place of the name. "
            "Action: correct the export and land the catalogue again.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="runtime_seconds",
            min_value=10,
            max_value=24 * 60 * 60,
            mostly=0.99,
            notes="Runtimes in minutes or milliseconds make every play look complete, or like "
            "none.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 titles or more, at least half have a genre.",
            unexpected_rows_query="""
                select count_if(len(genres) > 0) as with_genres, count(*) as title_count
                from {batch}
                having count(*) >= 100 and 2 * count_if(len(genres) > 0) < count(*)
            """,
            notes="Most titles have no genre: a cold title is known by little else.",
            severity="warning",
        ),
    ],
)
