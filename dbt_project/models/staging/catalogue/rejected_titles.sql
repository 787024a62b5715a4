with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('catalogue', 'rejected_titles') }}

),

deliveries as (

    {{ judged_deliveries(ref('base_catalogue__titles'), duplicate='duplicate_key') }}

),

refused_in_context as (

    {{ refused_deliveries('catalogue', 'titles', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
