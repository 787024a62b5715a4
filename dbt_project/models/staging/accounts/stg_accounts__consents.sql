with

deliveries as (

    {{ judged_deliveries(ref('base_accounts__consents'), member_id='member_id') }}

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
