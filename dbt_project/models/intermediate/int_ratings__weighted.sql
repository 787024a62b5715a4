-- Thumbs and stars on one scale, and the signal of each.
{{ config(materialized='view') }}

with

ratings as (

    select * from {{ ref('stg_engagement__ratings') }}
    where {{ known_by_as_of('received_at') }}

),

weighted as (

    select
        event_id,
        member_id,
        title_id,
        country,
        device,
        utc_offset_minutes,
        event_at,
        received_at,
        landed_on,

        -- Thousandths of a star, 0 to 10 stars.
        cast(
            case
                when rating_kind = 'stars' then round(value * 1000)
                when value < 0 then 2000
                when value < 2 then 8000
                else 10000
            end as bigint
        ) as stars_milli,

        cast(
            case
                when rating_kind = 'thumbs' and value < 0 then {{ signal_milli('thumb_down') }}
                when rating_kind = 'thumbs' and value < 2 then {{ signal_milli('thumb_up') }}
                when rating_kind = 'thumbs' then {{ signal_milli('two_thumbs_up') }}
                when value < 5 then round((value - 5) * -({{ signal_milli('star_below_5') }}))
                else
                    greatest(
                        {{ signal_milli('star_5') }},
                        round((value - 5) * {{ signal_milli('star_above_5') }})
                    )
            end as bigint
        ) as signal_milli

    from ratings

)

select * from weighted
