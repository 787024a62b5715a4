-- Counted by the member's own clock, windowed on arrival.
{{ config(
    materialized='view',
    meta={'changes': {'column': 'observed_at', 'clock': 'observation', 'member_id': 'member_id'}}
) }}

{%- set dayparts = ['morning', 'afternoon', 'evening', 'night'] %}

with

windows as (

    select
        *,
        morning_count_90d + afternoon_count_90d + evening_count_90d + night_count_90d as act_count

    from {{ ref('int_member_windows') }}

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
            when act_count > 0
                then round(cast({{ daypart }}_count_90d as double) / act_count, 6)
        end as {{ daypart }}_ratio,
        {% endfor %}
        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at

    from windows

)

select * from windowed
