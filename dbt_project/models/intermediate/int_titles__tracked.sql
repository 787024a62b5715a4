-- The columns of a title that sums depend on: when one changes, sums change.
{{ config(materialized='view') }}

select
    titles.title_id,
    titles.runtime_seconds,
    {{ sorted_set('titles.genres') }} as genres,
    versions.known_from as first_known_from

from {{ ref('titles') }} as titles

inner join {{ ref('int_titles__versioned') }} as versions
    on
        titles.title_id = versions.title_id
        and versions.version = 1
