-- Titles whose content that sums are made of has changed since the last build.
{%- set built = previous_build('last_build_titles') %}

with

titles as (

    select * from {{ ref('int_titles__tracked') }}

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
        -- It was not known, is not any more, or its first version is another: none of its events counts as it
        -- did.
        (titles.first_known_from is distinct from built.first_known_from) as has_changed_events,
        (titles.runtime_seconds is distinct from built.runtime_seconds) as has_changed_runtime,
        (titles.genres is distinct from built.genres) as has_changed_genres

    from titles

    full outer join built
        on titles.title_id = built.title_id

),

changed as (

    select * from compared
    where has_changed_events or has_changed_runtime or has_changed_genres

)

select * from changed
