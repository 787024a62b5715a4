with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('engagement', 'rejected_searches') }}

),

deliveries as (

    {{
        judged_deliveries(
            ref('base_engagement__searches'),
            member_id='member_id',
            title_id='clicked_title_id'
        )
    }}

),

refused_in_context as (

    {{ refused_deliveries('engagement', 'searches', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
