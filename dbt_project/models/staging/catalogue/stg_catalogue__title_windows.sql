with

deliveries as (

    {{ classified_deliveries('title_windows') }}

),

accepted as (

    select

        ---------- ids
        title_id,

        ---------- text
        country,

        ---------- dates
        starts_on,
        ends_on,

        ---------- origin
        file,
        line,
        batch,
        landed_on

    from deliveries
    where outcome = 'accepted'

)

select * from accepted
