with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('catalogue', 'rejected_assets') }}

),

deliveries as (

    {{
        judged_deliveries(
            ref('base_catalogue__assets'),
            duplicate='duplicate_key',
            title_id='title_id'
        )
    }}

),

refused_in_context as (

    {{ refused_deliveries('catalogue', 'assets', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
