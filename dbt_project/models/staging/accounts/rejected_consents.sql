with

refused_on_receipt as (

    select
        file,
        line,
        landed_on,
        batch,
        rule,
        raw_text

    from {{ source('accounts', 'rejected_consents') }}

),

deliveries as (

    -- Of whomever: a choice must hold when its member comes back, long after the last snapshot that had them.
    {{ judged_deliveries(ref('base_accounts__consents')) }}

),

refused_in_context as (

    {{ refused_deliveries('accounts', 'consents', 'deliveries') }}

),

unioned as (

    select * from refused_on_receipt
    union all
    select * from refused_in_context

)

select * from unioned
