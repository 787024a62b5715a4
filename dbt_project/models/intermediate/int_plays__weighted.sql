-- The signal of a play grows with the part of the title that was watched.
{{ config(materialized='view') }}

with

plays as (

    select * from {{ ref('stg_playback__plays') }}
    where {{ known_by_as_of('received_at') }}

),

titles as (

    select * from {{ ref('titles') }}

),

measured as (

    select
        plays.event_id,
        plays.member_id,
        plays.title_id,
        plays.country,
        plays.device,
        plays.utc_offset_minutes,
        plays.watched_seconds,
        plays.event_at,
        plays.received_at,
        plays.landed_on,
        coalesce(plays.is_autoplay, false) as is_autoplay,
        coalesce(plays.is_trailer, false) as is_trailer,

        -- Thousandths; a title watched twice in one play is one viewing.
        least(
            1000,
            plays.watched_seconds * 1000
            // coalesce(
                plays.runtime_seconds,
                titles.runtime_seconds,
                {{ var('assumed_runtime_seconds') }}
            )
        ) as completion_milli

    from plays

    inner join titles
        on plays.title_id = titles.title_id

),

weighted as (

    select
        *,

        case
            when completion_milli < {{ var('seen_from_milli').play }} then 0
            when is_trailer then {{ signal_milli('trailer') }}
            when is_autoplay then completion_milli * {{ signal_milli('autoplay') }} // 1000
            else completion_milli * {{ signal_milli('play') }} // 1000
        end as signal_milli,

        not is_trailer and completion_milli >= case
            when is_autoplay then {{ var('seen_from_milli').autoplay }}
            else {{ var('seen_from_milli').play }}
        end as is_seen

    from measured

)

select * from weighted
