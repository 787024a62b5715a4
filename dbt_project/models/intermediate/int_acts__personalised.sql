-- The acts that may shape what a member, or anyone else, is recommended.
{{ config(materialized='view') }}

select * from {{ ref('int_acts__weighed') }}
where may_personalise
