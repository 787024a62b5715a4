-- What may be told to others: what members let be counted, on days that change no more.
{{ config(
    materialized='view',
    meta={'changed_rows': {'column': 'received_on', 'clock': 'receipt', 'member_id': 'member_id'}}
) }}

select * from {{ ref('int_events__weighted') }}
where
    may_use_for_insights
    and event_kind in ('play', 'rating')
    and {{ is_closed_day('cast(event_at as date)', 'received_on') }}
