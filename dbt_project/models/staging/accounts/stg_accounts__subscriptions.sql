with

deliveries as (

    {{ classified_deliveries('subscriptions') }}

),

accepted as (

    select

        ---------- ids
        event_id,
        member_id,

        ---------- text
        country,
        device,
        kind,
        plan,
        currency,

        ---------- numerics
        utc_offset_minutes,
        price_minor,

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
