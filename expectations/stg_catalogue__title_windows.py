"""What windows must look like: they are what a service has the right to show."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_catalogue__title_windows",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No windows: every title may be shown everywhere, for ever.",
            severity="info",
        ),
        newest_day_at_least(
            0.5,
            notes="Half of the windows are gone: titles without one are shown where nobody may.",
            severity="critical",
            days_to_know=1,
        ),
        newest_day_at_most(
            10,
            notes="Windows do not grow tenfold overnight: the export was repeated.",
            days_to_know=1,
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["title_id", "country", "starts_on", "ends_on", "landed_on"],
            notes="A window twice: the export was repeated.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="A window ends on the day it starts, or later.",
            unexpected_rows_query="""
                select title_id, country, starts_on, ends_on
                from {batch}
                where ends_on < starts_on
                order by title_id, country, starts_on
            """,
            notes="A window over before it opens hides its title: days and months are swapped.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 20 titles with windows or more, some may be shown today.",
            unexpected_rows_query="""
                with newest as (
                    select title_id, starts_on, ends_on from {batch}
                    where landed_on = (select max(landed_on) from {batch})
                )
                select count(distinct title_id) as title_count
                from newest, night
                having count(distinct title_id) >= 20
                    and count_if(last_day between starts_on and ends_on) = 0
            """,
            notes="Every window is closed: slates would be empty.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Half of the newest windows or more are of titles in the newest catalogue.",
            unexpected_rows_query="""
                with newest as (
                    select title_id from {batch}
                    where landed_on = (select max(landed_on) from {batch})
                ), met as (
                    select newest.title_id, titles.title_id is not null as is_met
                    from newest
                    left join titles on newest.title_id = titles.title_id and not titles.is_retired
                )
                select count_if(not is_met) as stray_count, count(*) as window_count
                from met
                having count(*) >= 20 and 2 * count_if(not is_met) > count(*)
            """,
            notes="Rights and catalogue number titles differently: rights hold for nothing.",
            severity="critical",
        ),
    ],
)
