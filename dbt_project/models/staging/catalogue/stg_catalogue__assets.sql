with

deliveries as (

    {{ classified_deliveries('assets') }}

),

accepted as (

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

        ---------- origin
        file,
        line,
        batch,
        landed_on

    from deliveries
    where outcome = 'accepted'

)

select * from accepted
