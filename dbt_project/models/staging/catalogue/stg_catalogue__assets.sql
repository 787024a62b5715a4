with

deliveries as (

    {{
        judged_deliveries(
            ref('base_catalogue__assets'),
            duplicate='duplicate_key',
            title_id='title_id'
        )
    }}

),

kept as (

    select

        ---------- ids
        asset_id,
        title_id,

        ---------- text
        asset_kind,
        digital_source_type,
        disclosure_label,

        ---------- lists
        tags,

        ---------- where it came from
        file,
        line,
        batch,
        landed_on

    from deliveries
    where verdict = 'kept'

)

select * from kept
