with

deliveries as (

    {{ classified_deliveries('privacy_requests') }}

),

accepted as (

    select

        ---------- ids
        event_id,
        member_id,
        request_id,

        ---------- text
        country,
        device,
        kind,

        ---------- numerics
        utc_offset_minutes,

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
