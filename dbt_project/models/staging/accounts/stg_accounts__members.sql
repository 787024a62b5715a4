with

deliveries as (

    {{ judged_deliveries(ref('base_accounts__members'), duplicate='duplicate_key') }}

),

kept as (

    select

        ---------- ids
        member_id,

        ---------- text
        country,
        plan,
        language,
        gender,

        ---------- numerics
        birth_year,
        maximum_age,

        ---------- booleans
        is_kids,

        ---------- dates
        joined_on,

        ---------- where it came from
        file,
        line,
        batch,
        landed_on

    from deliveries
    where verdict = 'kept'

)

select * from kept
