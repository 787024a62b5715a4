-- Windowed on arrival, as member_activity_stats is. A member counts for a play and for a rating.
{{ config(
    materialized='view',
    meta={'changed_rows': {'column': 'observed_at', 'clock': 'observation', 'member_id': none}}
) }}

with

sums as (

    select * from {{ ref('int_titles__windowed') }}

),

windowed as (

    select

        ---------- ids
        title_id,

        ---------- numerics
        {% for column in [
            'play_count_7d', 'play_count_28d', 'play_count_90d',
            'member_count_7d', 'member_count_28d', 'member_count_90d',
            'signal_milli_28d', 'signal_milli_90d',
            'rating_count_90d',
        ] -%}
        {{ column }},
        {% endfor -%}
        case
            when rating_count > 0
                then round(cast(stars_milli as double) / (rating_count * 1000), 6)
        end as mean_rating,

        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at

    from sums

)

select * from windowed
