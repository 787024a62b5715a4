-- Windowed on arrival, as member_activity_stats is. Plays and ratings are both an act of a member.
{%- set columns = [
    'play_count_7d', 'play_count_28d', 'play_count_90d',
    'member_count_7d', 'member_count_28d', 'member_count_90d',
    'signal_milli_28d', 'signal_milli_90d',
    'rating_count_90d',
    'rating_count', 'stars_milli',
] %}

with

member_title_days as (

    select
        *,
        greatest(-({{ signal_milli('cap') }}), least({{ signal_milli('cap') }}, signal_milli))
            as capped_signal_milli

    from {{ ref('int_member_title_days') }}

),

title_days as (

    select
        title_id,
        received_on,
        sum(play_count) as play_count,
        sum(rating_count) as rating_count,
        sum(stars_milli) as stars_milli,
        sum(capped_signal_milli) as signal_milli

    from member_title_days
    group by title_id, received_on

),

member_steps as (

    {% for days in [7, 28, 90] %}{% set last = loop.last -%}
    {% for observed_on, step, happens, _ in distinct_steps(days) -%}
    select
        title_id,
        {{ observed_on }} as observed_on,
        {% for length in [7, 28, 90] -%}
        {{ step if length == days else 0 }} * count(*) as member_count_{{ length }}d
        {{- ',' if not loop.last }}
        {% endfor %}
    from member_title_days
    where
        has_opinion
        and {{ happens }}
    group by title_id, {{ observed_on }}

    {{ 'union all' if not (last and loop.last) }}

    {% endfor %}{% endfor -%}

),

changes as (

    {% for leaving in [0, 7, 28, 90] -%}
    select
        title_id,
        {{ days_after('received_on', 1 + leaving) }} as observed_on,
        {% for column in columns -%}
        {% set name, days = column.rsplit('_', 1) -%}
        {% if name == 'member_count' -%}
        0 as {{ column }}
        {%- elif days not in ['7d', '28d', '90d'] -%}
        -- Opinions do not age out of the mean; they are counted when they arrive.
        {{ column if leaving == 0 else 0 }} as {{ column }}
        {%- elif leaving == 0 -%}
        {{ name }} as {{ column }}
        {%- elif days == leaving ~ 'd' -%}
        -{{ name }} as {{ column }}
        {%- else -%}
        0 as {{ column }}
        {%- endif -%}
        {{ ',' if not loop.last }}
        {% endfor %}
    from title_days

    union all

    {% endfor -%}

    select
        title_id,
        observed_on,
        {% for column in columns -%}
        {{ column if column.startswith('member_count') else 0 }} as {{ column }}
        {{- ',' if not loop.last }}
        {% endfor %}
    from member_steps

),

change_days as (

    select
        title_id,
        observed_on,
        {% for column in columns -%}
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
        {% for column in columns -%}
        {{ running_total(column, key='title_id') }} as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from change_days

),

windowed as (

    select

        ---------- ids
        title_id,

        ---------- numerics
        {% for column in columns[:-2] -%}
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
