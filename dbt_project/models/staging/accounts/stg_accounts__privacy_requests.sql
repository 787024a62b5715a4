with

deliveries as (

    {{ judged_deliveries(ref('base_accounts__privacy_requests')) }}

),

kept as (

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

        ---------- where it came from
        file,
        line,
        batch,
        landed_on

    from deliveries
    where verdict = 'kept'

)

select * from kept
