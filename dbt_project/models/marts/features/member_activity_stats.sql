-- Windowed on arrival, not on viewing: a play that reached us late was not yet knowable, and a feature
-- must never see its own future.
with

acts as (

    select * from {{ ref('int_acts__personalised') }}
    where act_kind in ('play', 'rating')

),

steps as (

    {{ window_steps([7, 28, 90]) }}

),

member_title_days as (

    select
        member_id,
        title_id,
        received_on,
        {{ capped_acts("count(*) filter (where act_kind = 'play')") }} as play_count,
        sum(watched_seconds) as watched_seconds,
        {{ capped_acts("count(*) filter (where act_kind = 'rating')") }} as rating_count

    from acts
    group by member_id, title_id, received_on

),

member_days as (

    select
        member_id,
        received_on,
        sum(play_count) as play_count,
        -- A day has no more, whatever a bot says; one screen's worth of it is all that is asked.
        least(sum(watched_seconds), 86400) as watched_seconds,
        sum(rating_count) as rating_count

    from member_title_days
    group by member_id, received_on

),

title_spells as (

    select
        member_id,
        received_on,
        {{ days_between('lag(received_on) over days', 'received_on') }} as days_since_previous,
        {{ days_between('received_on', 'lead(received_on) over days') }} as days_until_next

    from member_title_days
    window days as (partition by member_id, title_id order by received_on)

),

changes as (

    select
        member_days.member_id,
        {{ days_after('member_days.received_on', '1 + steps.days_later') }} as observed_on,
        member_days.play_count * steps.step_7d as play_count_7d,
        member_days.play_count * steps.step_28d as play_count_28d,
        member_days.play_count * steps.step_90d as play_count_90d,
        member_days.watched_seconds * steps.step_7d as watched_seconds_7d,
        member_days.watched_seconds * steps.step_28d as watched_seconds_28d,
        member_days.watched_seconds * steps.step_90d as watched_seconds_90d,
        0 as title_count_28d,
        member_days.rating_count * steps.step_28d as rating_count_28d

    from member_days

    cross join steps

    union all

    select
        title_spells.member_id,
        {{ days_after('title_spells.received_on', '1 + steps.days_later') }} as observed_on,
        0 as play_count_7d,
        0 as play_count_28d,
        0 as play_count_90d,
        0 as watched_seconds_7d,
        0 as watched_seconds_28d,
        0 as watched_seconds_90d,
        {{ distinct_step(28) }} as title_count_28d,
        0 as rating_count_28d

    from title_spells

    inner join steps
        on steps.step_28d <> 0

),

change_days as (

    select
        member_id,
        observed_on,
        sum(play_count_7d) as play_count_7d,
        sum(play_count_28d) as play_count_28d,
        sum(play_count_90d) as play_count_90d,
        sum(watched_seconds_7d) as watched_seconds_7d,
        sum(watched_seconds_28d) as watched_seconds_28d,
        sum(watched_seconds_90d) as watched_seconds_90d,
        sum(title_count_28d) as title_count_28d,
        sum(rating_count_28d) as rating_count_28d

    from changes
    where observed_on <= cast({{ as_of() }} as date)
    group by member_id, observed_on

),

windowed as (

    select

        ---------- ids
        member_id,

        ---------- numerics
        {% for column in [
            'play_count_7d', 'play_count_28d', 'play_count_90d',
            'watched_seconds_7d', 'watched_seconds_28d', 'watched_seconds_90d',
            'title_count_28d', 'rating_count_28d',
        ] -%}
        {{ running_total(column, key='member_id') }} as {{ column }},
        {% endfor %}
        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at

    from change_days

)

select * from windowed
