"""What plays must look like before anything is trained on them.

dbt tests guard the code (keys, joins, arithmetic); a suite guards the night's data (volume,
ranges, drift). A rule lives in one place only.
"""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.events import of_events
from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_playback__plays",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No plays at all: right for a service that only has ratings, else a lost export.",
            severity="warning",
        ),
        *of_events(
            silence="Plays came every day and then did not: the export is down.", torn="critical"
        ),
        newest_day_at_most(
            2,
            notes="A premiere or a holiday can do this; so can a player that reports twice.",
            severity="warning",
        ),
        newest_day_at_least(
            0.5,
            notes="A quiet holiday can do this; so can a player that stopped reporting.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="utc_offset_minutes",
            mostly=0.5,
            notes="Without it an evening abroad is told as another time of day.",
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
