with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('playback', 'rejected_impressions') }}

),

deliveries as (

    {{
        judged_deliveries(
            ref('base_playback__impressions'),
            member_id='member_id',
            title_id='title_id'
        )
    }}

),

refused_in_context as (

    {{ refused_deliveries('playback', 'impressions', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
