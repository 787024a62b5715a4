-- The acts that may shape what a member, or anyone else, is recommended.
{{ config(
    materialized='view',
    meta={'changes': {'column': 'received_on', 'clock': 'receipt', 'member_id': 'member_id'}}
) }}

select * from {{ ref('int_acts__weighed') }}
where may_personalise
