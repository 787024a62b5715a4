{{ config(
    materialized='incremental',
    meta={'changes': {'column': 'acted_on', 'clock': 'event', 'member_id': none}}
) }}

with

acts as (

    select
        *,
        {{ daypart('local_event_at') }} as daypart

    from {{ ref('int_acts__weighed') }}
    where
        may_use_for_insights
        and act_kind in ('play', 'rating')
        and {{ closed_day('cast(local_event_at as date)', 'received_on') }}
        and {{ may_differ('cast(local_event_at as date)', 'event', member_id=none) }}

),

member_title_dayparts as (

    select
        member_id,
        title_id,
        cast(local_event_at as date) as acted_on,
        daypart,
        {{ capped_acts("count(*) filter (where act_kind = 'play')") }} as play_count,
        least(sum(watched_seconds), 86400) as watched_seconds,
        {{ capped_acts("count(*) filter (where act_kind = 'rating')") }} as rating_count

    from acts
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
        {{ told('play_count') }} as play_count,
        {{ told('watched_seconds') }} as watched_seconds,
        {{ told('rating_count') }} as rating_count

    from member_dayparts
    group by acted_on, daypart
    having {{ at_least_members() }}

)

select * from trends
