with

snapshots as (

    select
        *,
        row_number() over (partition by title_id order by landed_on desc) as newest_first,
        max(landed_on) over () as newest_snapshot_on

    from {{ ref('stg_catalogue__titles') }}
    where {{ known_by_as_of('landed_on') }}

),

latest as (

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
        coalesce(countries, []) as countries,
        coalesce(genres, []) as genres,
        coalesce(themes, []) as themes,
        coalesce(directors, []) as directors,
        coalesce(actors, []) as actors,

        ---------- numerics
        runtime_seconds,
        minimum_age,

        ---------- booleans
        is_original,
        landed_on < newest_snapshot_on as is_retired,

        ---------- dates
        released_on,
        added_on

    from snapshots
    where newest_first = 1

)

select * from latest
