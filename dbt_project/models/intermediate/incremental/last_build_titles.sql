-- Titles as the incremental tables were built with them.
-- depends on {{ ref('last_build') }}
select * from {{ ref('int_titles__tracked') }}
