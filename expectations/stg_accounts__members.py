"""What member profiles must look like. The stream is optional: acts alone make members known."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.freshness import newest_within
from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_accounts__members",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No profiles: members are known by acts alone, and nobody as a child.",
            severity="warning",
        ),
        newest_day_at_least(
            0.5,
            notes="Members do not halve overnight: the snapshot is torn.",
            severity="critical",
            days_to_know=1,
        ),
        newest_day_at_most(
            10,
            notes="Members do not grow tenfold overnight: test accounts or robots.",
            days_to_know=1,
        ),
        newest_within(
            35, notes="Profiles a month old miss whoever joined, and who is now a child's."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "landed_on"],
            notes="A member twice in one snapshot: which plan and limit hold is chance.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="A child's profile has an age limit of 15 at most.",
            unexpected_rows_query="""
                select distinct member_id, maximum_age
                from {batch}
                where is_kids and (maximum_age is null or maximum_age > 15)
                order by member_id
            """,
            notes="A child's profile without a limit is shown everything.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 profiles or more, at most half are children's.",
            unexpected_rows_query="""
                select count_if(is_kids) as kids_count, count(*) as member_count
                from {batch}
                having count(*) >= 100 and 2 * count_if(is_kids) > count(*)
            """,
            notes="A flag that is set for most is set by default, and hides most of the catalogue.",
            severity="warning",
        ),
    ],
)
