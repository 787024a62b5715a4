-- Sums over the last 7, 28 and 90 days of arrival, at each instant at which one of them changes. A night goes
-- on from the sums of the night before, so it reads the days that enter or leave a window and no other.
{{ config(
    materialized='incremental',
    meta={'changed_rows': {'column': 'observed_on', 'clock': 'observation', 'member_id': none}},
    pre_hook="{{ set_parts('received_on', 'receipt', window_days=[7, 28, 90], member_id=none) }}",
    post_hook="{{ insert_other_parts() }}"
) }}
{%- set lengths = [7, 28, 90] -%}
{%- set sums = [
    'play_count_7d', 'play_count_28d', 'play_count_90d',
    'signal_milli_28d', 'signal_milli_90d',
    'rating_count_90d',
    'member_count_7d', 'member_count_28d', 'member_count_90d',
    'rating_count', 'stars_milli',
] -%}
{%- set is_new = may_be_changed('observed_on', 'observation', member_id=none) -%}
{%- set is_read = may_be_changed('received_on', 'receipt', window_days=lengths, member_id=none) -%}
{%- set is_in_part = in_part('title_id') %}

with

title_days as (

    select
        title_id,
        received_on,
        sum(play_count) as play_count,
        sum(rating_count) as rating_count,
        sum(stars_milli) as stars_milli,
        sum(greatest(-({{ signal_milli('cap') }}), least({{ signal_milli('cap') }}, signal_milli)))
            as signal_milli,
        {% for length in lengths -%}
        count(*) filter (
            where has_play_or_rating and coalesce(days_since_previous > {{ length }}, true)
        ) as arrival_count_{{ length }}d,
        {% endfor -%}
        count(*) filter (where has_play_or_rating) as member_count

    from {{ ref('int_member_title_days__summed') }}
    where
        {{ is_read }}
        and {{ is_in_part }}
    group by title_id, received_on

),

-- A member who comes back within the window is counted once: the earlier visit does not leave it.
returns as (

    select
        title_id,
        {{ days_after('received_on', '-days_since_previous') }} as received_on,
        {% for length in lengths -%}
        count(*) filter (where days_since_previous <= {{ length }}) as return_count_{{ length }}d
        {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_member_title_days__summed') }}
    where
        has_play_or_rating
        and days_since_previous is not null
        and {{ may_be_changed('received_on', 'receipt', lookback_days=90, member_id=none) }}
        and {{ is_in_part }}
    group by title_id, {{ days_after('received_on', '-days_since_previous') }}

),

changes as (

    select
        title_id,
        {{ days_after('received_on', 1) }} as observed_on,
        {% for sum in sums[:-2] -%}
        {% set name, days = sum.rsplit('_', 1) -%}
        {{ 'arrival_count_' ~ days if name == 'member_count' else name }} as {{ sum }},
        {% endfor -%}
        -- Ratings never leave the mean; they are counted on the day they arrive.
        rating_count,
        stars_milli

    from title_days

    {% for leaving in lengths -%}
    union all

    select
        title_id,
        {{ days_after('received_on', 1 + leaving) }} as observed_on,
        {% for sum in sums -%}
        {{ '-' ~ sum.rsplit('_', 1)[0] if sum.endswith('_' ~ leaving ~ 'd') else 0 }} as {{ sum }}
        {{- ',' if not loop.last }}
        {% endfor %}
    from title_days

    union all

    select
        title_id,
        {{ days_after('received_on', 1 + leaving) }} as observed_on,
        {% for sum in sums -%}
        {{ 'return_count_' ~ leaving ~ 'd' if sum == 'member_count_' ~ leaving ~ 'd' else 0 }} as {{ sum }}
        {{- ',' if not loop.last }}
        {% endfor %}
    from returns

    {% endfor %}
),

{% if is_incremental() -%}
latest as (

    select
        title_id,
        max(observed_on) as observed_on

    from {{ this }}
    where
        {{ is_in_part }}
        and not {{ is_new }}
    group by title_id

),
{%- endif %}

change_days as (

    select
        title_id,
        observed_on,
        {% for sum in sums -%}
        cast(sum({{ sum }}) as bigint) as {{ sum }}{{ ',' if not loop.last }}
        {% endfor %}
    from changes
    where
        observed_on <= cast({{ as_of() }} as date)
        and {{ is_new }}
    group by title_id, observed_on
    {% if is_incremental() %}
    union all

    select
        built.title_id,
        built.observed_on,
        {% for sum in sums -%}
        built.{{ sum }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ this }} as built

    inner join latest
        on
            built.title_id = latest.title_id
            and built.observed_on = latest.observed_on
    {% endif %}
),

totalled as (

    select
        title_id,
        observed_on,
        {% for sum in sums -%}
        {{ running_total(sum, key='title_id') }} as {{ sum }}{{ ',' if not loop.last }}
        {% endfor %}
    from change_days

)

select * from totalled
where {{ is_new }}
