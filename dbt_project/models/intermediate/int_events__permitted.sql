-- Events of members who consent to personalisation: recommendations are made of these only.
{{ config(
    materialized='view',
    meta={'changed_rows': {'column': 'received_on', 'clock': 'receipt', 'member_id': 'member_id'}}
) }}

select * from {{ ref('int_events__weighted') }}
where may_personalise
