with

deliveries as (

    {{
        judged_deliveries(
            ref('base_catalogue__title_windows'),
            duplicate='duplicate_key',
            title_id='title_id'
        )
    }}

),

kept as (

    select

        ---------- ids
        title_id,

        ---------- text
        country,

        ---------- dates
        starts_on,
        ends_on,

        ---------- where it came from
        file,
        line,
        batch,
        landed_on

    from deliveries
    where verdict = 'kept'

)

select * from kept
