with

deliveries as (

    {{ classified_deliveries('members') }}

),

accepted as (

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

        ---------- origin
        file,
        line,
        batch,
        landed_on

    from deliveries
    where outcome = 'accepted'

)

select * from accepted
