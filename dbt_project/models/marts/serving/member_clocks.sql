-- A view: it is read once a night, to be written into the release.
{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_events__weighted') }}
    where may_personalise

),

clocks as (

    select

        ---------- ids
        member_id,

        ---------- numerics
        date_diff('minute', event_at, local_event_at) as utc_offset_minutes,

        ---------- timestamps (UTC)
        event_at as acted_at

    from events
    qualify row_number() over (
        partition by member_id order by event_at desc, event_id desc
    ) = 1

)

select * from clocks
