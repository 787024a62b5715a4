with

versions as (

    select * from {{ ref('int_titles__versioned') }}

),

contents as (

    select

        ---------- ids
        title_id,

        ---------- text
        name,
        title_kind,
        language,
        cast(decade as varchar) || 's' as release_decade,

        ---------- lists
        countries,
        genres,
        themes,
        directors,
        actors,

        ---------- numerics
        release_year,
        minimum_age,
        runtime_seconds,

        ---------- timestamps (UTC)
        cast(known_from as timestamp) as observed_at

    from versions

)

select * from contents
