-- Members as the incremental tables knew them.
-- depends on {{ ref('built_through') }}
select
    member_id,
    may_personalise,
    may_use_for_insights

from {{ ref('members') }}
