"""What every member's list must look like before it is published."""

import great_expectations as gx
import great_expectations.expectations as gxe

SUITE = gx.ExpectationSuite(
    name="slates",
    expectations=[
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            notes="No slates: a release of nothing.",
            severity="critical",
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "rank"],
            notes="Two titles on one place.",
            severity="critical",
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["member_id", "title_id"],
            notes="A title twice in one list.",
            severity="critical",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="source",
            value_set=["hybrid", "cold_member", "popular", "non_profiled"],
            notes="A source that serving and the report do not know.",
            severity="critical",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="row_kind",
            value_set=["top_picks", "first_picks", "popular"],
            notes="A shelf that no page has.",
            severity="critical",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="reason",
            notes="A title without a reason: nobody can say why it is there.",
            severity="critical",
        ),
        gxe.ExpectColumnValueLengthsToBeBetween(
            column="reason",
            min_value=3,
            max_value=1_000,
            notes="Reasons are shown to people: an empty or endless one is a broken name.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every score is a number.",
            unexpected_rows_query="""
                select member_id, rank, score
                from {batch}
                where score is null or not isfinite(score)
                order by member_id, rank
            """,
            notes="A model that diverged orders titles by chance.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every list runs from 1 without a gap, best first.",
            unexpected_rows_query="""
                select member_id, max(rank) as last_rank, count(*) as title_count
                from {batch}
                group by member_id
                having min(rank) != 1 or max(rank) != count(*)
                order by member_id
            """,
            notes="A gap is a title taken out after the list was made, unseen by any rule.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every title exists, and is not retired.",
            unexpected_rows_query="""
                select distinct here.title_id
                from {batch} as here
                left join titles on here.title_id = titles.title_id
                where titles.title_id is null or titles.is_retired
                order by 1
            """,
            notes="A title that the service does not have is a dead end on every page.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Every member is known.",
            unexpected_rows_query="""
                select distinct here.member_id
                from {batch} as here
                left join members on here.member_id = members.member_id
                where members.member_id is null
                order by 1
            """,
            notes="A list of nobody: ids were mixed up, and somebody has another's.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="No title is above its member's age limit.",
            unexpected_rows_query="""
                select here.member_id, here.title_id
                from {batch} as here
                inner join members on here.member_id = members.member_id
                inner join titles on here.title_id = titles.title_id
                where titles.minimum_age > members.maximum_age
                order by 1, 2
            """,
            notes="A child is shown what its profile forbids.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="No title that a member has seen comes back in a list made for them.",
            unexpected_rows_query="""
                select here.member_id, here.title_id
                from {batch} as here
                inner join seen_titles
                    on here.member_id = seen_titles.member_id
                    and here.title_id = seen_titles.title_id
                where here.source != 'non_profiled'
                order by 1, 2
            """,
            notes="The oldest complaint about any recommender.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Lists are made for those who consent, and for nobody else.",
            unexpected_rows_query="""
                select distinct here.member_id
                from {batch} as here
                inner join members on here.member_id = members.member_id
                where members.may_personalise = (here.source = 'non_profiled')
                order by 1
            """,
            notes="What a member answered is not what they get.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of 100 members or more, at least nine tenths have a list.",
            unexpected_rows_query="""
                select
                    (select count(*) from members) as member_count,
                    count(distinct member_id) as listed_count
                from {batch}
                having (select count(*) from members) >= 100
                    and 10 * count(distinct member_id) < 9 * (select count(*) from members)
            """,
            notes="A member without a list sees an empty page.",
            severity="critical",
        ),
        gxe.UnexpectedRowsExpectation(
            description="Of the model's 100 lists or more, not all begin with the same title.",
            unexpected_rows_query="""
                select min(title_id) as title_id, count(*) as list_count
                from {batch}
                where rank = 1 and source = 'hybrid'
                having count(*) >= 100 and count(distinct title_id) = 1
            """,
            notes="One title first for all: the model tells nobody apart.",
            severity="warning",
        ),
    ],
)
