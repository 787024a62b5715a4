-- A view: it is read once a night, to be written into the release.
{{ config(materialized='view') }}

with

plays as (

    select
        plays.*,
        coalesce(
            plays.runtime_seconds, titles.runtime_seconds, {{ var('assumed_runtime_seconds') }}
        ) as known_runtime_seconds

    from {{ ref('stg_playback__plays') }} as plays

    inner join {{ ref('members') }} as members
        on
            plays.member_id = members.member_id
            and members.may_personalise

    inner join {{ ref('titles') }} as titles
        on plays.title_id = titles.title_id

    where
        not coalesce(plays.is_trailer, false)
        and {{ known_by_as_of('plays.received_at') }}

),

last_plays as (

    select * from plays
    where position_seconds is not null
    qualify row_number() over (
        partition by member_id, title_id order by event_at desc, event_id desc
    ) = 1

),

unfinished as (

    select

        ---------- ids
        member_id,
        title_id,

        ---------- text
        episode_label,

        ---------- numerics
        position_seconds,
        known_runtime_seconds as runtime_seconds,
        position_seconds * 1000 // known_runtime_seconds as progress_milli,

        ---------- timestamps (UTC)
        event_at as played_at

    from last_plays
    where position_seconds * 1000 // known_runtime_seconds between 50 and 950

)

select * from unfinished
