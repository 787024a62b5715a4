-- The plays, ratings, chosen searches and clicked impressions of members, with signals on one scale.
{{ config(
    materialized='incremental',
    meta={'changed_rows': {
        'column': 'received_on', 'clock': 'receipt', 'member_id': 'member_id', 'shared_columns': ['event_id']
    }}
) }}

with

events as (

    select
        event_id,
        'play' as event_kind,
        member_id,
        title_id,
        country,
        device,
        utc_offset_minutes,
        watched_seconds,
        completion_milli,
        cast(null as bigint) as stars_milli,
        signal_milli,
        is_seen,
        event_at,
        received_at,
        landed_on

    from {{ ref('int_plays__weighted') }}

    union all

    select
        event_id,
        'rating' as event_kind,
        member_id,
        title_id,
        country,
        device,
        utc_offset_minutes,
        0 as watched_seconds,
        0 as completion_milli,
        stars_milli,
        signal_milli,
        true as is_seen,
        event_at,
        received_at,
        landed_on

    from {{ ref('int_ratings__weighted') }}

    union all

    select
        event_id,
        'search' as event_kind,
        member_id,
        clicked_title_id as title_id,
        country,
        device,
        utc_offset_minutes,
        0 as watched_seconds,
        0 as completion_milli,
        null as stars_milli,
        {{ signal_milli('search') }} as signal_milli,
        false as is_seen,
        event_at,
        received_at,
        landed_on

    from {{ ref('stg_engagement__searches') }}
    where
        clicked_title_id is not null
        and {{ known_by_as_of('received_at') }}

    union all

    select
        event_id,
        'impression' as event_kind,
        member_id,
        title_id,
        country,
        device,
        utc_offset_minutes,
        0 as watched_seconds,
        0 as completion_milli,
        null as stars_milli,
        {{ signal_milli('impression') }} as signal_milli,
        false as is_seen,
        event_at,
        received_at,
        landed_on

    from {{ ref('stg_playback__impressions') }}
    where
        was_clicked
        and {{ known_by_as_of('received_at') }}

),

members as (

    select * from {{ ref('members') }}

),

titles as (

    select title_id from {{ ref('titles') }}

),

known as (

    select

        ---------- ids
        events.event_id,
        events.member_id,
        events.title_id,

        ---------- text
        events.event_kind,
        events.country,
        events.device,

        ---------- numerics
        events.watched_seconds,
        events.completion_milli,
        events.stars_milli,
        events.signal_milli,

        ---------- booleans
        events.is_seen,
        members.may_personalise,
        members.may_use_for_insights,

        ---------- dates and timestamps (UTC, but for the member's own clock)
        events.event_at,
        {{ local_time('events.event_at', 'events.utc_offset_minutes') }} as local_event_at,
        cast(events.received_at as date) as received_on,
        events.landed_on

    from events

    inner join members
        on events.member_id = members.member_id

    inner join titles
        on events.title_id = titles.title_id

    -- Of the instant, not of its day: only so can the engine skip what lies before.
    where {{ may_be_changed('events.received_at', 'receipt', member_id='events.member_id') }}

)

select * from known
