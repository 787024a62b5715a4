-- Windowed on arrival, not on viewing: a play that reached us late was not yet knowable, and a feature
-- must never see its own future.
{{ config(
    materialized='view',
    meta={'changed_rows': {'column': 'observed_at', 'clock': 'observation', 'member_id': 'member_id'}}
) }}

with

windows as (

    select * from {{ ref('int_members__windowed') }}

),

windowed as (

    select

        ---------- ids
        member_id,

        ---------- numerics
        play_count_7d,
        play_count_28d,
        play_count_90d,
        watched_seconds_7d,
        watched_seconds_28d,
        watched_seconds_90d,
        title_count_28d,
        rating_count_28d,
        completion_milli_28d,
        stars_milli_28d,

        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at

    from windows

)

select * from windowed
