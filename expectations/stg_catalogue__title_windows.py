"""Windows of titles: what a service has the right to show, where and when."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.validation.volume import newest_day_at_least, newest_day_at_most

SUITE = gx.ExpectationSuite(
    name="stg_catalogue__title_windows",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No windows: every title may be shown everywhere at any time.",
            severity="info",
        ),
        newest_day_at_least(
            0.5,
            notes="Half of the windows are gone: titles would be shown without the right to. "
            "Cause: the snapshot is not complete. "
            "Action: land a complete snapshot of the same day and run again.",
            severity="critical",
            days_to_know=1,
        ),
        newest_day_at_most(
            10,
            notes="There are ten times as many windows as usual. "
            "Cause: the export ran more than once into one file. "
            "Action: land one clean snapshot, or accept the volume if it is right.",
            days_to_know=1,
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["title_id", "country", "starts_on", "ends_on", "landed_on"],
            notes="A window is there twice: the export ran more than once.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="starts_on <= ends_on in every row.",
            unexpected_rows_query="""
                select title_id, country, starts_on, ends_on
                from {batch}
                where ends_on < starts_on
                order by title_id, country, starts_on
            """,
            notes="A window ends before it starts and hides its title: days and months are "
            "swapped.",
            severity="warning",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 20 titles with windows or more, at least 1 window is open on the "
            "last day of the night.",
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
            notes="Every window is closed: slates would be empty. "
            "Cause: the dates are of another year, or the snapshot is old. "
            "Action: land a snapshot with the windows of today and run again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 20 newest windows or more, at least half are of a title_id that is "
            "in `titles` and not retired.",
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
            notes="Most windows are of unknown titles, so that rights hold for no title. "
            "Cause: the rights system and the catalogue have different ids for titles. "
            "Action: export windows with the title_id of the catalogue and land them again.",
            severity="critical",
        ),
    ],
)
