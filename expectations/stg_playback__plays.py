"""Plays of members, before any model is trained with them.

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
            notes="No plays: right for a service that only has ratings, else the export is lost.",
            severity="warning",
        ),
        *of_events(
            silence="Plays came every day and then did not: the export is down.", torn="critical"
        ),
        newest_day_at_most(
            2,
            notes="Twice the usual plays: a premiere or a holiday, or a player that reports twice.",
            severity="warning",
        ),
        newest_day_at_least(
            0.5,
            notes="Half the usual plays: a quiet day, or a player that stopped reporting.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="utc_offset_minutes",
            mostly=0.5,
            notes="Most plays have no offset: evenings elsewhere count as other times of day.",
            severity="warning",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="watched_seconds",
            max_value=24 * 60 * 60,
            mostly=0.999,
            notes="A play longer than a day, in more than 1 of 1,000. "
            "Cause: a player with a broken clock, or watched_seconds in milliseconds. "
            "Action: correct the unit in the export and land it again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 1,000 plays or more, at least 1 is of 60 seconds or longer.",
            unexpected_rows_query="""
                select max(watched_seconds) as longest_seconds
                from {batch}
                having count(*) >= 1000 and max(watched_seconds) < 60
            """,
            notes="No play reaches a minute. "
            "Cause: watched_seconds is in minutes or hours, or the counter is stuck. "
            "Action: correct the unit in the export and land it again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of all plays, no member with 1,000 or more has more than a quarter.",
            unexpected_rows_query="""
                select member_id, count(*) as play_count
                from {batch}
                group by member_id
                having count(*) >= 1000 and count(*) > 0.25 * (select count(*) from {batch})
            """,
            notes="One member has a quarter of all plays: a crawler, or a default id.",
            severity="warning",
        ),
    ],
)
