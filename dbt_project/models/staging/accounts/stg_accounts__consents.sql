with

deliveries as (

    -- Of whomever: a choice must hold when its member comes back, long after the last snapshot that had them.
    {{ judged_deliveries(ref('base_accounts__consents')) }}

),

kept as (

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

        ---------- where it came from
        file,
        line,
        batch,
        landed_on

    from deliveries
    where verdict = 'kept'

)

select * from kept
