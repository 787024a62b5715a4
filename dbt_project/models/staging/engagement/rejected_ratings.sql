with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('engagement', 'rejected_ratings') }}

),

deliveries as (

    {{
        judged_deliveries(
            ref('base_engagement__ratings'),
            member_id='member_id',
            title_id='title_id'
        )
    }}

),

refused_in_context as (

    {{ refused_deliveries('engagement', 'ratings', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
