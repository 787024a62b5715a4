with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('accounts', 'rejected_subscriptions') }}

),

deliveries as (

    {{ judged_deliveries(ref('base_accounts__subscriptions'), member_id='member_id') }}

),

refused_in_context as (

    {{ refused_deliveries('accounts', 'subscriptions', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
