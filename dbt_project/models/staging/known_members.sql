-- Every profile that any snapshot ever had: an event of another member is rejected. Empty without a members
-- stream.
select distinct member_id from {{ ref('base_accounts__members') }}
