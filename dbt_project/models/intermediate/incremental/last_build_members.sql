-- Members and their consents as the incremental tables were built with them.
-- depends on {{ ref('last_build') }}
select
    member_id,
    may_personalise,
    may_use_for_insights

from {{ ref('members') }}
