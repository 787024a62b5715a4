with

deliveries as (

    {{
        judged_deliveries(
            ref('base_playback__plays'),
            member_id='member_id',
            title_id='title_id'
        )
    }}

),

kept as (

    select

        ---------- ids
        event_id,
        member_id,
        title_id,
        impression_id,

        ---------- text
        country,
        device,

        ---------- numerics
        utc_offset_minutes,
        watched_seconds,
        runtime_seconds,

        ---------- booleans
        is_autoplay,
        is_trailer,

        ---------- timestamps (UTC)
        event_at,
        received_at,

        ---------- where it came from
        file,
        line,
        batch,
        landed_on

    from deliveries
    where verdict = 'kept'

)

select * from kept
