-- The acts that may shape what a member, or anyone else, is recommended.
{{ config(
    materialized='view',
    meta={'changed_rows': {'column': 'received_on', 'clock': 'receipt', 'member_id': 'member_id'}}
) }}

select * from {{ ref('int_events__weighted') }}
where may_personalise
