with

deliveries as (

    {{ classified_deliveries('titles') }}

),

accepted as (

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
        owner,

        ---------- lists
        countries,
        genres,
        themes,
        directors,
        actors,

        ---------- numerics
        runtime_seconds,
        minimum_age,

        ---------- booleans
        is_original,

        ---------- dates
        released_on,
        added_on,

        ---------- origin
        file,
        line,
        batch,
        landed_on

    from deliveries
    where outcome = 'accepted'

)

select * from accepted
