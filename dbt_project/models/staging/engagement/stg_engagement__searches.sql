with

deliveries as (

    {{ classified_deliveries('searches') }}

),

accepted as (

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

        ---------- origin
        file,
        line,
        batch,
        landed_on

    from deliveries
    where outcome = 'accepted'

)

select * from accepted
