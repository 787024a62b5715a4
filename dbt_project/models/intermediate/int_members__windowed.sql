-- Sums over the last 7, 28 and 90 days of arrival, at each instant at which one of them changes. A night
-- goes on from the sums of the night before, so it reads the days that enter or leave a window and no other.
-- Searches and impressions are kept for less long than windows are: only plays and ratings are in them.
{{ config(
    materialized='incremental',
    meta={'changed_rows': {'column': 'observed_on', 'clock': 'observation', 'member_id': 'member_id'}},
    pre_hook="{{ set_parts('received_on', 'receipt') }}",
    post_hook="{{ insert_other_parts() }}"
) }}

{%- set dayparts = ['morning', 'afternoon', 'evening', 'night'] -%}
{%- set devices = ['console', 'phone', 'tablet', 'tv', 'web'] -%}
{%- set sums = [
    'play_count_7d', 'play_count_28d', 'play_count_90d',
    'watched_seconds_7d', 'watched_seconds_28d', 'watched_seconds_90d',
    'rating_count_28d', 'completion_milli_28d', 'stars_milli_28d',
    'morning_count_90d', 'afternoon_count_90d', 'evening_count_90d', 'night_count_90d',
    'console_count_90d', 'phone_count_90d', 'tablet_count_90d', 'tv_count_90d', 'web_count_90d',
    'title_count_28d',
] -%}
{%- set is_in_part = in_part('member_id') -%}
{%- set is_new = may_be_changed('observed_on', 'observation') -%}
{%- set is_read = may_be_changed('received_on', 'receipt', window_days=[7, 28, 90]) %}

with

events as (

    select
        member_id,
        received_on,
        device,
        {{ daypart('local_event_at') }} as daypart

    from {{ ref('int_events__permitted') }}
    where
        event_kind in ('play', 'rating')
        and {{ is_read }}
        and {{ is_in_part }}

),

event_days as (

    select
        member_id,
        received_on,
        {% for daypart in dayparts -%}
        count(*) filter (where daypart = '{{ daypart }}') as {{ daypart }}_count,
        {% endfor -%}
        {% for device in devices -%}
        count(*) filter (where device = '{{ device }}') as {{ device }}_count
        {{- ',' if not loop.last }}
        {% endfor %}
    from events
    group by member_id, received_on

),

count_days as (

    select
        member_id,
        received_on,
        sum(play_count) as play_count,
        -- At most the seconds of a day, however many plays a bot reports.
        least(sum(watched_seconds), 86400) as watched_seconds,
        sum(rating_count) as rating_count,
        sum(completion_milli) as completion_milli,
        sum(stars_milli) as stars_milli,
        count(*) filter (where coalesce(days_since_previous > 28, true)) as arrival_count,
        count(*) as title_count

    from {{ ref('int_member_title_days__summed') }}
    where
        has_play_or_rating
        and {{ is_read }}
        and {{ is_in_part }}
    group by member_id, received_on

),

member_days as (

    select
        event_days.*,
        count_days.play_count,
        count_days.watched_seconds,
        count_days.rating_count,
        count_days.completion_milli,
        count_days.stars_milli,
        count_days.arrival_count,
        count_days.title_count

    from event_days

    inner join count_days
        on
            event_days.member_id = count_days.member_id
            and event_days.received_on = count_days.received_on

),

-- A title that comes back within the window is counted once: its earlier leaving does not happen.
returns as (

    select
        member_id,
        {{ days_after('received_on', '-days_since_previous') }} as received_on,
        count(*) as return_count

    from {{ ref('int_member_title_days__summed') }}
    where
        has_play_or_rating
        and days_since_previous <= 28
        and {{ may_be_changed('received_on', 'receipt', lookback_days=28) }}
        and {{ is_in_part }}
    group by member_id, {{ days_after('received_on', '-days_since_previous') }}

),

changes as (

    {% for leaving in [0, 7, 28, 90] -%}
    select
        member_id,
        {{ days_after('received_on', 1 + leaving) }} as observed_on,
        {% for sum in sums[:-1] -%}
        {% set column, days = sum.rsplit('_', 1) -%}
        {{ column if leaving == 0 else '-' ~ column if days == leaving ~ 'd' else 0 }} as {{ sum }},
        {% endfor -%}
        {{ {0: 'arrival_count', 28: '-title_count'}.get(leaving, 0) }} as title_count_28d

    from member_days

    union all

    {% endfor -%}
    select
        member_id,
        {{ days_after('received_on', 29) }} as observed_on,
        {% for sum in sums[:-1] -%}
        0 as {{ sum }},
        {% endfor -%}
        return_count as title_count_28d

    from returns

),

change_days as (

    select
        member_id,
        observed_on,
        {% for sum in sums -%}
        cast(sum({{ sum }}) as integer) as {{ sum }}{{ ',' if not loop.last }}
        {% endfor %}
    from changes
    where
        observed_on <= cast({{ as_of() }} as date)
        and {{ is_new }}
    group by member_id, observed_on
    {% if is_incremental() %}
    union all

    select
        member_id,
        max(observed_on) as observed_on,
        {% for sum in sums -%}
        cast(arg_max({{ sum }}, observed_on) as integer) as {{ sum }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ this }}
    where
        -- Whoever has been still for longer has empty windows.
        observed_on >= {{ days_after("cast('" ~ first_changed_day() ~ "' as date)", -92) }}
        and not {{ is_new }}
        and {{ is_in_part }}
    group by member_id
    {% endif %}
),

totalled as (

    select
        member_id,
        observed_on,
        {% for device in devices -%}
        {{ device }}_count_90d as {{ device }}_change,
        {% endfor -%}
        {% for sum in sums -%}
        {{ running_total(sum, key='member_id') }} as {{ sum }}{{ ',' if not loop.last }}
        {% endfor %}
    from change_days

),

named as (

    select
        *,

        {% for main, names, before in [
            ('main_daypart', dayparts, false), ('main_device', devices, false), ('device_before', devices, true)
        ] -%}
        {% set counts = [] -%}
        {% for name in names -%}
        {% do counts.append(name ~ '_count_90d' ~ (' - ' ~ name ~ '_change' if before else '')) -%}
        {% endfor -%}
        case greatest({{ counts | join(', ') }})
            when 0 then null
            {% for name in names -%}
            when {{ counts[loop.index0] }} then '{{ name }}'
            {% endfor -%}
        end as {{ main }}{{ ',' if not loop.last }}
        {% endfor %}
    from totalled

),

windowed as (

    select
        member_id,
        observed_on,
        {% for sum in sums -%}
        {{ sum }},
        {% endfor -%}
        main_daypart,
        main_device,
        (main_device is distinct from device_before) as is_new_device

    from named
    where {{ is_new }}

)

select * from windowed
