-- Weeks begin on Monday, whatever the night, so that two nights' cells differ by no single day.
{{ config(materialized='view') }}

with

plays as (

    select * from {{ ref('int_events__closed') }}
    where event_kind = 'play'

),

titles as (

    select * from {{ ref('titles') }}

),

summed as (

    select
        member_id,
        title_id,
        cast(date_trunc('week', event_at) as date) as week_on,
        cast(sum(watched_seconds) as bigint) as watched_seconds,
        bool_or(is_seen) as is_started

    from plays
    group by member_id, title_id, cast(date_trunc('week', event_at) as date)

),

compared as (

    select
        summed.member_id,
        summed.title_id,
        summed.week_on,
        summed.watched_seconds,
        summed.is_started,

        -- Of a series, one episode: what was watched of it is not known by episode.
        summed.is_started
        and summed.watched_seconds * 10 >= 9 * coalesce(
            titles.runtime_seconds,
            {{ var('assumed_runtime_seconds') }}
        ) as is_completed

    from summed

    inner join titles
        on summed.title_id = titles.title_id

)

select * from compared
