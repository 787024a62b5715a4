-- Counted by the member's own clock, windowed on arrival.
{{ config(
    materialized='view',
    meta={'changed_rows': {'column': 'observed_at', 'clock': 'observation', 'member_id': 'member_id'}}
) }}

{%- set dayparts = ['morning', 'afternoon', 'evening', 'night'] %}

with

windows as (

    select
        *,
        morning_count_90d + afternoon_count_90d + evening_count_90d + night_count_90d as event_count

    from {{ ref('int_members__windowed') }}

),

windowed as (

    select

        ---------- ids
        member_id,

        ---------- text
        main_daypart,

        ---------- numerics
        {% for daypart in dayparts -%}
        case
            when event_count > 0
                then round(cast({{ daypart }}_count_90d as double) / event_count, 6)
        end as {{ daypart }}_ratio,
        {% endfor %}
        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at

    from windows

)

select * from windowed
