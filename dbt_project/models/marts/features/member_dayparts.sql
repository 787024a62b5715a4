-- Counted by the member's own clock, windowed on arrival.
with

acts as (

    select
        member_id,
        received_on,
        {{ daypart('local_event_at') }} as daypart

    from {{ ref('int_acts__personalised') }}
    where act_kind in ('play', 'rating')

),

steps as (

    {{ window_steps([90]) }}

),

{% set dayparts = ['morning', 'afternoon', 'evening', 'night'] -%}

changes as (

    select
        acts.member_id,
        {{ days_after('acts.received_on', '1 + steps.days_later') }} as observed_on,
        {% for daypart in dayparts -%}
        sum(steps.step_90d) filter (where acts.daypart = '{{ daypart }}') as {{ daypart }}_change
        {{- ',' if not loop.last }}
        {% endfor %}
    from acts

    cross join steps

    group by acts.member_id, acts.received_on, steps.days_later

),

change_days as (

    select
        member_id,
        observed_on,
        {% for daypart in dayparts -%}
        coalesce(sum({{ daypart }}_change), 0) as {{ daypart }}_change{{ ',' if not loop.last }}
        {% endfor %}
    from changes
    where observed_on <= cast({{ as_of() }} as date)
    group by member_id, observed_on

),

counted as (

    select
        member_id,
        observed_on,
        {% for daypart in dayparts -%}
        {{ running_total(daypart ~ '_change', key='member_id') }} as {{ daypart }}_count
        {{- ',' if not loop.last }}
        {% endfor %}
    from change_days

),

totalled as (

    select
        *,
        morning_count + afternoon_count + evening_count + night_count as act_count,
        greatest(morning_count, afternoon_count, evening_count, night_count) as main_count

    from counted

),

windowed as (

    select

        ---------- ids
        member_id,

        ---------- text
        case
            when act_count = 0 then null
            when morning_count = main_count then 'morning'
            when afternoon_count = main_count then 'afternoon'
            when evening_count = main_count then 'evening'
            else 'night'
        end as main_daypart,

        ---------- numerics
        {% for daypart in dayparts -%}
        case when act_count > 0 then round(cast({{ daypart }}_count as double) / act_count, 6) end
            as {{ daypart }}_ratio,
        {% endfor %}
        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at

    from totalled

)

select * from windowed
