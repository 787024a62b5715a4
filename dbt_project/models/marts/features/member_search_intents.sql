-- How a member searches, and what they then choose. The typed text stays in staging.
{{ config(
    materialized='incremental',
    meta={'changed_rows': {
        'column': 'observed_at', 'clock': 'observation', 'member_id': 'member_id', 'search_window_days': 28
    }}
) }}

with

members as (

    select * from {{ ref('members') }}
    where may_personalise

),

versions as (

    select * from {{ ref('int_titles__versioned') }}

),

searches as (

    select
        searches.member_id,
        searches.result_count,
        searches.clicked_title_id,
        cast(searches.received_at as date) as received_on

    from {{ ref('stg_engagement__searches') }} as searches

    inner join members
        on searches.member_id = members.member_id

    where
        {{ known_by_as_of('searches.received_at') }}
        and {{ may_be_changed(
            'cast(searches.received_at as date)', 'receipt',
            lookback_days=28, member_id='searches.member_id', search_window_days=28
        ) }}

),

steps as (

    -- A day's searches enter the window on the day after they arrived, and leave it 28 days later.
    select
        0 as days_later,
        1 as step_28d

    union all

    select
        28 as days_later,
        -1 as step_28d

),

member_days as (

    select
        member_id,
        received_on,
        count(*) as search_count,
        count(result_count) as answered_count,
        count(*) filter (where result_count = 0) as no_result_count

    from searches
    group by member_id, received_on

),

change_days as (

    select
        member_days.member_id,
        {{ days_after('member_days.received_on', '1 + steps.days_later') }} as observed_on,
        sum(member_days.search_count * steps.step_28d) as search_count,
        sum(member_days.answered_count * steps.step_28d) as answered_count,
        sum(member_days.no_result_count * steps.step_28d) as no_result_count

    from member_days

    cross join steps

    group by
        member_days.member_id,
        {{ days_after('member_days.received_on', '1 + steps.days_later') }}

),

totalled as (

    select
        member_id,
        observed_on,
        {{ running_total('search_count', key='member_id') }} as search_count,
        {{ running_total('answered_count', key='member_id') }} as answered_count,
        {{ running_total('no_result_count', key='member_id') }} as no_result_count

    from change_days
    where observed_on <= cast({{ as_of() }} as date)

),

counted as (

    select * from totalled
    where {{ may_be_changed('observed_on', 'observation', search_window_days=28) }}

),

genre_days as (

    select
        searches.member_id,
        searches.received_on,
        {{ unnest_list('versions.genres') }} as genre

    from searches

    inner join versions
        on
            searches.clicked_title_id = versions.title_id
            and (searches.received_on >= versions.known_from or versions.version = 1)
            and (searches.received_on < versions.known_until or versions.known_until is null)

),

genres as (

    select
        counted.member_id,
        counted.observed_on,
        genre_days.genre,

        row_number() over (
            partition by counted.member_id, counted.observed_on
            order by count(*) desc, genre_days.genre
        ) as genre_rank

    from counted

    inner join genre_days
        on
            counted.member_id = genre_days.member_id
            and counted.observed_on > genre_days.received_on
            and counted.observed_on <= {{ days_after('genre_days.received_on', 28) }}

    group by counted.member_id, counted.observed_on, genre_days.genre

),

genre_lists as (

    select
        member_id,
        observed_on,
        {{ ordered_list('genre', by='genre_rank', type='varchar') }} as searched_genres

    from genres
    where genre_rank <= 8
    group by member_id, observed_on

),

windowed as (

    select

        ---------- ids
        counted.member_id,

        ---------- lists
        coalesce(genre_lists.searched_genres, []) as searched_genres,

        ---------- numerics
        counted.search_count as search_count_28d,
        case
            when counted.answered_count > 0
                then
                    round(
                        cast(counted.no_result_count as double) / counted.answered_count, 6
                    )
        end as no_result_ratio_28d,

        ---------- timestamps (UTC)
        cast(counted.observed_on as timestamp) as observed_at

    from counted

    left join genre_lists
        on
            counted.member_id = genre_lists.member_id
            and counted.observed_on = genre_lists.observed_on

)

select * from windowed
