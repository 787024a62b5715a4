-- The events of one member on one title, by day of arrival: every count and every label is a sum of these
-- rows.
{{ config(
    materialized='incremental',
    meta={'changed_rows': {'column': 'received_on', 'clock': 'receipt', 'member_id': 'member_id'}}
) }}

with

events as (

    select * from {{ ref('int_events__permitted') }}
    where {{ may_be_changed('received_on', 'receipt') }}

),

summed as (

    select
        member_id,
        title_id,
        received_on,
        {{ cap_count("count(*) filter (where event_kind = 'play')") }} as play_count,
        cast(sum(watched_seconds) as bigint) as watched_seconds,
        -- Of no more plays than are counted.
        cast(
            least(
                sum(completion_milli),
                1000 * {{ cap_count("count(*) filter (where event_kind = 'play')") }}
            ) as bigint
        ) as completion_milli,
        {{ cap_count("count(*) filter (where event_kind = 'rating')") }} as rating_count,
        avg(stars_milli) as stars_milli,
        bool_or(event_kind in ('play', 'rating')) as has_play_or_rating,
        cast(sum(signal_milli) as bigint) as signal_milli,
        cast(coalesce(sum(signal_milli) filter (where event_kind in ('play', 'rating')), 0) as bigint)
            as play_rating_signal_milli,
        bool_or(is_seen) as is_seen,
        max(event_at) as interacted_at

    from events
    group by member_id, title_id, received_on

),

{% if is_incremental() -%}
-- A window is at most 90 days: an event further back makes no difference.
earlier as (

    select
        member_id,
        title_id,
        max(received_on) as received_on

    from {{ this }}
    where
        has_play_or_rating
        and received_on >= {{ days_after("cast('" ~ first_changed_day() ~ "' as date)", -91) }}
        and not {{ may_be_changed('received_on', 'receipt') }}
        and (member_id, title_id) in (select member_id, title_id from summed)
    group by member_id, title_id

),
{%- endif %}

event_days as (

    select
        member_id,
        title_id,
        received_on

    from summed
    where has_play_or_rating
    {% if is_incremental() %}
    union all

    select * from earlier
    {% endif %}
),

spells as (

    select
        *,

        {{ days_between(
            'lag(received_on) over (partition by member_id, title_id order by received_on)',
            'received_on'
        ) }} as days_since_previous

    from event_days

),

linked as (

    select
        summed.member_id,
        summed.title_id,
        summed.received_on,
        summed.play_count,
        summed.watched_seconds,
        summed.completion_milli,
        summed.rating_count,
        -- Whole thousandths: sums of them do not depend on the order in which they come.
        cast(coalesce(round(summed.stars_milli * summed.rating_count), 0) as bigint) as stars_milli,
        summed.has_play_or_rating,
        summed.signal_milli,
        summed.play_rating_signal_milli,
        summed.is_seen,
        summed.interacted_at,
        case when spells.days_since_previous <= 90 then spells.days_since_previous end
            as days_since_previous

    from summed

    left join spells
        on
            summed.member_id = spells.member_id
            and summed.title_id = spells.title_id
            and summed.received_on = spells.received_on

)

select * from linked
