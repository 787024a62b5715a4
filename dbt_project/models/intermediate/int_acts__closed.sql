-- What may be told to others: what members let be counted, on days that change no more.
{{ config(
    materialized='view',
    meta={'changes': {'column': 'received_on', 'clock': 'receipt', 'member_id': 'member_id'}}
) }}

select * from {{ ref('int_acts__weighed') }}
where
    may_use_for_insights
    and act_kind in ('play', 'rating')
    and {{ closed_day('cast(event_at as date)', 'received_on') }}
