"""The slates of all members, before they are published."""

import great_expectations as gx
import great_expectations.expectations as gxe

from matinee.models.baselines import BASELINES
from matinee.slates.sources import LABELS

SUITE = gx.ExpectationSuite(
    name="slates",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No slates: the release would be empty. "
            "Cause: there is no member, or no title that may be shown. "
            "Action: check members, titles and title_windows with `matinee doctor`.",
            severity="critical",
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "rank"],
            notes="Two titles have one rank. "
            "Cause: two scoring runs wrote to work/ at once, or the ranking is wrong. "
            "Action: run the night again; if it comes back, report it with work/.",
            severity="critical",
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "title_id"],
            notes="A title is twice in one slate. "
            "Cause: two scoring runs wrote to work/ at once, or the ranking is wrong. "
            "Action: run the night again; if it comes back, report it with work/.",
            severity="critical",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="source",
            value_set=[
                *LABELS,
                *BASELINES,
            ],  # the latter of a release that publishes its best baseline
            notes="A source that serving and the report do not know. "
            "Cause: scoring has a new source. "
            "Action: add it to serving, to the report and here.",
            severity="critical",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="row_kind",
            value_set=["top_picks", "first_picks", "popular"],
            notes="A shelf that no page has. "
            "Cause: scoring has a new shelf. "
            "Action: add it to the pages and here.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="reason",
            notes="A title without a reason: nobody can say why it is shown. "
            "Cause: no reason was made for a new kind of contribution or source. "
            "Action: add its text to the reasons and run the night again.",
            severity="critical",
        ),
        gxe.ExpectColumnValueLengthsToBeBetween(
            column="reason",
            min_value=3,
            max_value=1_000,
            notes="Reasons are shown to members: an empty or endless one breaks the page. "
            "Cause: an empty or endless name in the catalogue. "
            "Action: correct the name and land the catalogue again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every score is a finite number.",
            unexpected_rows_query="""
                select member_id, rank, score
                from {batch}
                where score is null or not isfinite(score)
                order by member_id, rank
            """,
            notes="Titles without a score are in no order. "
            "Cause: training diverged, or a feature is NaN. "
            "Action: lower the learning rate or the signal cap, and run the night again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="The ranks of every slate run from 1 to the number of its titles.",
            unexpected_rows_query="""
                select member_id, max(rank) as last_rank, count(*) as title_count
                from {batch}
                group by member_id
                having min(rank) != 1 or max(rank) != count(*)
                order by member_id
            """,
            notes="A gap in the ranks: a title was taken out after the slate was made. "
            "Cause: a step between ranking and publishing removes rows. "
            "Action: let eligibility remove titles before ranking, and run the night again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every title_id is in `titles` and not retired.",
            unexpected_rows_query="""
                select distinct here.title_id
                from {batch} as here
                left join titles on here.title_id = titles.title_id
                where titles.title_id is null or titles.is_retired
                order by 1
            """,
            notes="A title that the service does not have is shown. "
            "Cause: the catalogue changed after the slates were made. "
            "Action: run the night again from the start.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every member_id is in `members`.",
            unexpected_rows_query="""
                select distinct here.member_id
                from {batch} as here
                left join members on here.member_id = members.member_id
                where members.member_id is null
                order by 1
            """,
            notes="A slate of an unknown member. "
            "Cause: rows and ids of the model do not match, so others have wrong slates too. "
            "Action: remove work/ and run the night again from the start.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="No title has a minimum_age above the maximum_age of the member.",
            unexpected_rows_query="""
                select here.member_id, here.title_id
                from {batch} as here
                inner join members on here.member_id = members.member_id
                inner join titles on here.title_id = titles.title_id
                where titles.minimum_age > members.maximum_age
                order by 1, 2
            """,
            notes="A child is shown a title that its profile forbids. "
            "Cause: an age limit changed after the slates were made, or is not applied. "
            "Action: run the night again from the start; publish nothing before.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="No pair of member_id and title_id is in `seen_titles`, non_profiled "
            "slates aside.",
            unexpected_rows_query="""
                select here.member_id, here.title_id
                from {batch} as here
                inner join seen_titles
                    on here.member_id = seen_titles.member_id
                    and here.title_id = seen_titles.title_id
                where here.source != 'non_profiled'
                order by 1, 2
            """,
            notes="A member is shown a title that they have seen. "
            "Cause: scoring does not exclude what `seen_titles` has. "
            "Action: run the night again from the start, and report it if it comes back.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="The source is non_profiled if and only if may_personalise is false.",
            unexpected_rows_query="""
                select distinct here.member_id
                from {batch} as here
                inner join members on here.member_id = members.member_id
                where members.may_personalise = (here.source = 'non_profiled')
                order by 1
            """,
            notes="A slate goes against what the member consented to. "
            "Cause: consent changed after the slates were made, or is not applied. "
            "Action: run the night again from the start; publish nothing before.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 members or more, at least 0.9 have a slate.",
            unexpected_rows_query="""
                select
                    (select count(*) from members) as member_count,
                    count(distinct member_id) as listed_count
                from {batch}
                having (select count(*) from members) >= 100
                    and 10 * count(distinct member_id) < 9 * (select count(*) from members)
            """,
            notes="Members without a slate see an empty page. "
            "Cause: windows or age limits leave no title for them, or scoring stopped early. "
            "Action: check title_windows and maximum_age, and run the night again.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 hybrid slates or more, at least 2 have different first titles.",
            unexpected_rows_query="""
                select min(title_id) as title_id, count(*) as list_count
                from {batch}
                where rank = 1 and source = 'hybrid'
                having count(*) >= 100 and count(distinct title_id) = 1
            """,
            notes="One title is first for all members: the model does not distinguish them.",
            severity="warning",
        ),
    ],
)
