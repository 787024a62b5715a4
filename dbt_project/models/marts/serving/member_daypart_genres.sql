-- A view: it is read once a night, to be written into the release.
{{ config(materialized='view') }}

with

plays as (

    select
        events.member_id,
        events.watched_seconds,
        events.local_event_at,
        titles.genres

    from {{ ref('int_events__weighted') }} as events

    inner join {{ ref('titles') }} as titles
        on events.title_id = titles.title_id

    where
        events.event_kind = 'play'
        and events.is_seen
        and events.may_personalise
        and events.received_on >= cast({{ as_of() }} as date) - interval {{ var('taste_window_days') }} day

),

viewings as (

    select
        member_id,
        watched_seconds,
        {{ daypart('local_event_at') }} as daypart,
        isodow(local_event_at) >= 6 as is_weekend,
        {{ unnest_list('genres') }} as genre

    from plays

),

summed as (

    select

        ---------- ids
        member_id,

        ---------- text
        daypart,
        genre,

        ---------- numerics
        cast(sum(watched_seconds) as bigint) as watched_seconds,

        ---------- booleans
        is_weekend

    from viewings
    group by member_id, daypart, genre, is_weekend

)

select * from summed
