-- Titles of which something that sums are made of has changed since the tables were built.
{%- set built = as_built('built_titles') %}

with

titles as (

    select * from {{ ref('int_titles__counted') }}

),

built as (

    {% if built -%}
    select * from {{ built }}
    {%- else -%}
    select * from titles where false
    {%- endif %}

),

compared as (

    select
        coalesce(titles.title_id, built.title_id) as title_id,
        -- Not known, or first described by another snapshot: nothing done with it is as it was.
        (titles.first_known_from is distinct from built.first_known_from) as has_other_acts,
        (titles.runtime_seconds is distinct from built.runtime_seconds) as has_other_runtime,
        (titles.genres is distinct from built.genres) as has_other_genres

    from titles

    full outer join built
        on titles.title_id = built.title_id

),

changed as (

    select * from compared
    where has_other_acts or has_other_runtime or has_other_genres

)

select * from changed
