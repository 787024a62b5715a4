with

deliveries as (

    {{
        judged_deliveries(
            ref('base_engagement__ratings'),
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

        ---------- where it came from
        file,
        line,
        batch,
        landed_on

    from deliveries
    where verdict = 'kept'

)

select * from kept
