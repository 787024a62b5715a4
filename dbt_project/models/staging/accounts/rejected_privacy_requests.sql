with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('accounts', 'rejected_privacy_requests') }}

),

deliveries as (

    {{ judged_deliveries(ref('base_accounts__privacy_requests')) }}

),

refused_in_context as (

    {{ refused_deliveries('accounts', 'privacy_requests', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
