with

deliveries as (

    {{ classified_deliveries('ratings') }}

),

accepted as (

    select

        ---------- ids
        event_id,
        member_id,
        title_id,

        ---------- text
        country,
        device,
        rating_kind,

        ---------- numerics
        utc_offset_minutes,
        value,

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
