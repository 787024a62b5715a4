-- What a title was said to be, from one day until the next time something else was said.
with

snapshots as (

    select
        title_id,
        landed_on,
        title_kind,
        language,
        minimum_age,
        runtime_seconds,
        name,
        cast(extract(year from released_on) as bigint) as release_year,
        cast(extract(year from released_on) as bigint) // 10 * 10 as decade,
        {{ sorted_set('countries') }} as countries,
        {{ sorted_set('genres') }} as genres,
        {{ sorted_set('themes') }} as themes,
        {{ sorted_set('directors') }} as directors,
        {{ sorted_set('actors') }} as actors

    from {{ ref('stg_catalogue__titles') }}
    where {{ known_by_as_of('landed_on') }}

),

{% set content = [
    'name', 'title_kind', 'language', 'minimum_age', 'runtime_seconds', 'release_year', 'decade',
    'countries', 'genres', 'themes', 'directors', 'actors',
] -%}

compared as (

    select
        *,
        {{ as_one(content) }} as said,
        lag({{ as_one(content) }}) over snapshots as said_before

    from snapshots
    window snapshots as (partition by title_id order by landed_on)

),

versioned as (

    select
        title_id,
        {% for column in content -%}
        {{ column }},
        {% endfor -%}
        {{ sorted_set(list_union('directors', 'actors')) }} as people,
        landed_on as known_from,
        lead(landed_on) over versions as known_until,
        row_number() over versions as version

    from compared
    where said is distinct from said_before
    window versions as (partition by title_id order by landed_on)

)

select * from versioned
