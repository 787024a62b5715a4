-- The labels. No decay here: it depends on the instant for which a model is trained.
{{ config(
    materialized='view',
    meta={'changed_rows': {'column': 'observed_at', 'clock': 'observation', 'member_id': 'member_id'}}
) }}

with

title_days as (

    select * from {{ ref('int_member_title_days__summed') }}

),

capped as (

    select

        ---------- ids
        member_id,
        title_id,

        ---------- numerics
        cast(
            greatest(-({{ signal_milli('cap') }}), least({{ signal_milli('cap') }}, signal_milli))
            as bigint
        ) as signal_milli,

        ---------- booleans
        is_seen,

        ---------- timestamps (UTC)
        cast({{ days_after('received_on', 1) }} as timestamp) as observed_at,
        interacted_at

    from title_days

)

select * from capped
