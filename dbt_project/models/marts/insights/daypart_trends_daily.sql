{{ config(
    materialized='incremental',
    meta={'changed_rows': {'column': 'acted_on', 'clock': 'event', 'member_id': none}}
) }}

with

events as (

    select
        *,
        {{ daypart('local_event_at') }} as daypart

    from {{ ref('int_events__weighted') }}
    where
        may_use_for_insights
        and event_kind in ('play', 'rating')
        and {{ is_closed_day('cast(local_event_at as date)', 'received_on') }}
        and {{ may_be_changed('cast(local_event_at as date)', 'event', member_id=none) }}

),

member_title_dayparts as (

    select
        member_id,
        title_id,
        cast(local_event_at as date) as acted_on,
        daypart,
        {{ cap_count("count(*) filter (where event_kind = 'play')") }} as play_count,
        least(sum(watched_seconds), 86400) as watched_seconds,
        {{ cap_count("count(*) filter (where event_kind = 'rating')") }} as rating_count

    from events
    group by member_id, title_id, cast(local_event_at as date), daypart

),

member_dayparts as (

    select
        member_id,
        acted_on,
        daypart,
        sum(play_count) as play_count,
        sum(watched_seconds) as watched_seconds,
        sum(rating_count) as rating_count

    from member_title_dayparts
    group by member_id, acted_on, daypart

),

trends as (

    select

        ---------- dates
        acted_on,

        ---------- text
        daypart,

        ---------- numerics
        count(distinct member_id) as member_count,
        {{ suppress_small_cells('play_count') }} as play_count,
        {{ suppress_small_cells('watched_seconds') }} as watched_seconds,
        {{ suppress_small_cells('rating_count') }} as rating_count

    from member_dayparts
    group by acted_on, daypart
    having {{ has_enough_members() }}

)

select * from trends
