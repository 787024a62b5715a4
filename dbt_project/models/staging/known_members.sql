-- Every profile any snapshot ever named: who an event may come from. Empty without a members stream.
select distinct member_id from {{ ref('base_accounts__members') }}
