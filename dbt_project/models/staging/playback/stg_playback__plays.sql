with

deliveries as (

    {{ classified_deliveries('plays') }}

),

accepted as (

    select

        ---------- ids
        event_id,
        member_id,
        title_id,
        impression_id,

        ---------- text
        country,
        device,
        episode_label,

        ---------- numerics
        utc_offset_minutes,
        watched_seconds,
        runtime_seconds,
        position_seconds,

        ---------- booleans
        is_autoplay,
        is_trailer,

        ---------- timestamps (UTC)
        event_at,
        received_at,

        ---------- origin
        file,
        line,
        batch,
        landed_on

    from deliveries
    where outcome = 'accepted'

)

select * from accepted
