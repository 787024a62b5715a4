-- Searches that led to no title: gaps of the catalogue or of the search. The typed text stays in staging.
{{ config(
    materialized='incremental',
    meta={'changed_rows': {'column': 'searched_on', 'clock': 'event', 'member_id': none}}
) }}

with

searches as (

    select * from {{ ref('stg_engagement__searches') }}
    where
        {{ is_closed_day('cast(event_at as date)', 'cast(received_at as date)') }}
        and {{ may_be_changed('cast(event_at as date)', 'event', member_id=none) }}

),

members as (

    select * from {{ ref('members') }}
    where may_use_for_insights

),

titles as (

    select * from {{ ref('int_titles__versioned') }}

),

outcomes as (

    select
        searches.member_id,
        cast(searches.event_at as date) as searched_on,

        case
            when titles.title_id is not null then 'chose'
            when searches.result_count = 0 then 'found_nothing'
            else 'left'
        end as outcome,

        titles.genres

    from searches

    inner join members
        on searches.member_id = members.member_id

    left join titles
        on
            searches.clicked_title_id = titles.title_id
            and {{ version_when_closed('titles', 'cast(searches.event_at as date)') }}

),

outcome_genres as (

    select
        member_id,
        searched_on,
        outcome,
        'any' as genre

    from outcomes

    union all

    select
        member_id,
        searched_on,
        outcome,
        {{ unnest_list('genres') }} as genre

    from outcomes

),

member_gaps as (

    select
        member_id,
        searched_on,
        outcome,
        genre,
        count(*) as search_count

    from outcome_genres
    group by member_id, searched_on, outcome, genre

),

gaps as (

    select

        ---------- dates
        searched_on,

        ---------- text
        outcome,
        genre,

        ---------- numerics
        count(distinct member_id) as member_count,
        {{ suppress_small_cells('search_count') }} as search_count

    from member_gaps
    group by searched_on, outcome, genre
    having {{ has_enough_members() }}

)

select * from gaps
