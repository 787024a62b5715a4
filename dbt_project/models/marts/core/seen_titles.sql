-- A view: it is read once a night, and would be the largest table to maintain.
{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_events__weighted') }}

),

seen as (

    select

        ---------- ids
        member_id,
        title_id,

        ---------- dates
        cast(min(event_at) as date) as first_seen_on

    from events
    where is_seen
    group by member_id, title_id

)

select * from seen
