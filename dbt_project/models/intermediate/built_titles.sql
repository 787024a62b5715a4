-- Titles as the incremental tables knew them.
-- depends on {{ ref('built_through') }}
select * from {{ ref('int_titles__counted') }}
