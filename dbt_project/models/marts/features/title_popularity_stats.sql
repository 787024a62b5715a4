-- Windowed on arrival, as member_activity_stats is. Plays and ratings are both an act of a member.
with

acts as (

    select * from {{ ref('int_acts__personalised') }}
    where act_kind in ('play', 'rating')

),

signals as (

    select * from {{ ref('member_title_signals') }}

),

steps as (

    {{ window_steps([7, 28, 90]) }}

),

title_member_days as (

    select
        title_id,
        member_id,
        received_on,
        {{ capped_acts("count(*) filter (where act_kind = 'play')") }} as play_count,
        {{ capped_acts('count(stars_milli)') }} as rating_count,
        avg(stars_milli) as stars_milli

    from acts
    group by title_id, member_id, received_on

),

title_days as (

    select
        title_id,
        received_on,
        sum(play_count) as play_count,
        sum(rating_count) as rating_count,
        -- Whole thousandths: sums of them do not depend on the order in which they come.
        sum(cast(coalesce(round(stars_milli * rating_count), 0) as bigint)) as stars_milli

    from title_member_days
    group by title_id, received_on

),

member_spells as (

    select
        title_id,
        received_on,
        {{ days_between('lag(received_on) over days', 'received_on') }} as days_since_previous,
        {{ days_between('received_on', 'lead(received_on) over days') }} as days_until_next

    from title_member_days
    window days as (partition by title_id, member_id order by received_on)

),

changes as (

    select
        title_days.title_id,
        {{ days_after('title_days.received_on', '1 + steps.days_later') }} as observed_on,
        title_days.play_count * steps.step_7d as play_count_7d,
        title_days.play_count * steps.step_28d as play_count_28d,
        title_days.play_count * steps.step_90d as play_count_90d,
        0 as member_count_7d,
        0 as member_count_28d,
        0 as member_count_90d,
        0 as signal_milli_28d,
        0 as signal_milli_90d,
        title_days.rating_count * steps.step_90d as rating_count_90d,
        -- Opinions do not age out of the mean; they are counted when they arrive.
        case when steps.days_later = 0 then title_days.rating_count else 0 end as rating_count,
        case when steps.days_later = 0 then title_days.stars_milli else 0 end as stars_milli

    from title_days

    cross join steps

    union all

    select
        member_spells.title_id,
        {{ days_after('member_spells.received_on', '1 + steps.days_later') }} as observed_on,
        0 as play_count_7d,
        0 as play_count_28d,
        0 as play_count_90d,
        {{ distinct_step(7) }} as member_count_7d,
        {{ distinct_step(28) }} as member_count_28d,
        {{ distinct_step(90) }} as member_count_90d,
        0 as signal_milli_28d,
        0 as signal_milli_90d,
        0 as rating_count_90d,
        0 as rating_count,
        0 as stars_milli

    from member_spells

    cross join steps

    union all

    select
        signals.title_id,
        {{ days_after('cast(signals.observed_at as date)', 'steps.days_later') }} as observed_on,
        0 as play_count_7d,
        0 as play_count_28d,
        0 as play_count_90d,
        0 as member_count_7d,
        0 as member_count_28d,
        0 as member_count_90d,
        signals.signal_milli * steps.step_28d as signal_milli_28d,
        signals.signal_milli * steps.step_90d as signal_milli_90d,
        0 as rating_count_90d,
        0 as rating_count,
        0 as stars_milli

    from signals

    cross join steps

),

{% set columns = [
    'play_count_7d', 'play_count_28d', 'play_count_90d',
    'member_count_7d', 'member_count_28d', 'member_count_90d',
    'signal_milli_28d', 'signal_milli_90d',
    'rating_count_90d',
] -%}

change_days as (

    select
        title_id,
        observed_on,
        {% for column in columns + ['rating_count', 'stars_milli'] -%}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from changes
    where observed_on <= cast({{ as_of() }} as date)
    group by title_id, observed_on

),

running as (

    select
        title_id,
        observed_on,
        {% for column in columns + ['rating_count', 'stars_milli'] -%}
        {{ running_total(column, key='title_id') }} as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from change_days

),

windowed as (

    select

        ---------- ids
        title_id,

        ---------- numerics
        {% for column in columns -%}
        {{ column }},
        {% endfor -%}
        case
            when rating_count > 0
                then round(cast(stars_milli as double) / (rating_count * 1000), 6)
        end as mean_rating,

        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at

    from running

)

select * from windowed
