with

deliveries as (

    {{ judged_deliveries(ref('base_catalogue__titles'), duplicate='duplicate_key') }}

),

kept as (

    select

        ---------- ids
        title_id,

        ---------- text
        name,
        title_kind,
        language,
        synopsis,
        ai_use,
        ai_disclosure,

        ---------- lists
        countries,
        genres,
        themes,
        directors,
        actors,

        ---------- numerics
        runtime_seconds,
        minimum_age,

        ---------- dates
        released_on,
        added_on,

        ---------- where it came from
        file,
        line,
        batch,
        landed_on

    from deliveries
    where verdict = 'kept'

)

select * from kept
