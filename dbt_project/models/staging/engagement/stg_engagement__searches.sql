with

deliveries as (

    {{
        judged_deliveries(
            ref('base_engagement__searches'),
            member_id='member_id',
            title_id='clicked_title_id'
        )
    }}

),

kept as (

    select

        ---------- ids
        event_id,
        member_id,
        clicked_title_id,

        ---------- text
        country,
        device,
        query_text,

        ---------- numerics
        utc_offset_minutes,
        result_count,

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
