"""Profiles of members. The stream is optional: plays and ratings alone make members known."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import newest_within
from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_accounts__members",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No profiles: members are known by plays and ratings alone, and none as a child.",
            severity="warning",
        ),
        newest_day_at_least(
            0.5,
            notes="The members have halved in a day. "
            "Cause: the snapshot is not complete. "
            "Action: land a complete snapshot of the same day and run again.",
            severity="critical",
            days_to_know=1,
        ),
        newest_day_at_most(
            10,
            notes="There are ten times as many members as usual. "
            "Cause: test accounts, robots, or two services in one export. "
            "Action: take them out of the export, or accept the volume if it is right.",
            days_to_know=1,
        ),
        newest_within(
            35, notes="Profiles a month old lack the members who joined, and new age limits."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "landed_on"],
            notes="A member is twice in one snapshot: which plan and age limit hold is undefined. "
            "Cause: the export joins members with something they have several of. "
            "Action: export one row per member and land the snapshot again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Where is_kids is true, maximum_age is at most 15.",
            unexpected_rows_query="""
                select distinct member_id, maximum_age
                from {batch}
                where is_kids and (maximum_age is null or maximum_age > 15)
                order by member_id
            """,
            notes="A profile of a child without an age limit is shown every title.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 profiles or more, at most half have is_kids true.",
            unexpected_rows_query="""
                select count_if(is_kids) as kids_count, count(*) as member_count
                from {batch}
                having count(*) >= 100 and 2 * count_if(is_kids) > count(*)
            """,
            notes="A flag that is true for most members is a default, and hides most of the "
            "catalogue.",
            severity="warning",
        ),
    ],
)
