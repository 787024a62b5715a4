"""What plays must look like before anything is trained on them.

dbt tests guard the code (keys, joins, arithmetic); a suite guards the night's data (volume,
ranges, drift). A rule lives in one place only.
"""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.drift import newest_day_between

SUITE = gx.ExpectationSuite(
    name="stg_playback__plays",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No plays at all: right for a service that only has ratings, else a lost export.",
            severity="warning",
        ),
        newest_day_between(
            0.1,
            10,
            notes="A tenth of a usual day, or ten times it, is a torn or repeated export.",
            severity="critical",
        ),
        newest_day_between(
            0.5,
            2,
            notes="A holiday or a premiere can do this; so can a player that stopped reporting.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="watched_seconds",
            max_value=24 * 60 * 60,
            mostly=0.999,
            notes="Players are killed after a day; longer is a broken clock.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 plays or more, some are longer than a minute.",
            unexpected_rows_query="""
                select max(watched_seconds) as longest_seconds
                from {batch}
                having count(*) >= 1000 and max(watched_seconds) < 60
            """,
            notes="Nobody watched a minute: the counter is stuck, or counts in minutes or hours.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="No member makes a quarter of 1,000 plays or more.",
            unexpected_rows_query="""
                select member_id, count(*) as play_count
                from {batch}
                group by member_id
                having count(*) >= 1000 and count(*) > 0.25 * (select count(*) from {batch})
            """,
            notes="One member with a quarter of all plays is a crawler or a default id.",
            severity="warning",
        ),
    ],
)
