-- The versions of a title, each from the snapshot that brought it until the snapshot that brings the next.
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
        {{ row_struct(content) }} as content,
        lag({{ row_struct(content) }}) over snapshots as previous_content

    from snapshots
    window snapshots as (partition by title_id order by landed_on)

),

versioned as (

    select
        title_id,
        {% for column in content -%}
        {{ column }},
        {% endfor -%}
        {{ sorted_set(concat_lists('directors', 'actors')) }} as people,
        landed_on as known_from,
        lead(landed_on) over versions as known_until,
        row_number() over versions as version

    from compared
    where content is distinct from previous_content
    window versions as (partition by title_id order by landed_on)

)

select * from versioned
