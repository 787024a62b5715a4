with

deliveries as (

    {{ classified_deliveries('consents') }}

),

accepted as (

    select

        ---------- ids
        event_id,
        member_id,

        ---------- text
        country,
        device,
        purpose,

        ---------- numerics
        utc_offset_minutes,

        ---------- booleans
        granted,

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
