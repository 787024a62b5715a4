-- What insights may count: plays and ratings of members who consent, on days that do not change any more.
{{ config(
    materialized='view',
    meta={'changed_rows': {'column': 'received_on', 'clock': 'receipt', 'member_id': 'member_id'}}
) }}

select * from {{ ref('int_events__weighted') }}
where
    may_use_for_insights
    and event_kind in ('play', 'rating')
    and {{ is_closed_day('cast(event_at as date)', 'received_on') }}
