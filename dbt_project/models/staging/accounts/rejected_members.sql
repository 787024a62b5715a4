with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('accounts', 'rejected_members') }}

),

deliveries as (

    {{ judged_deliveries(ref('base_accounts__members'), duplicate='duplicate_key') }}

),

refused_in_context as (

    {{ refused_deliveries('accounts', 'members', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
