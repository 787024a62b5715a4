-- A view: what a member has seen is asked once a night, and would be the widest table to keep up.
{{ config(materialized='view') }}

with

acts as (

    select * from {{ ref('int_events__weighted') }}

),

seen as (

    select

        ---------- ids
        member_id,
        title_id,

        ---------- dates
        cast(min(event_at) as date) as first_seen_on

    from acts
    where is_seen
    group by member_id, title_id

)

select * from seen
