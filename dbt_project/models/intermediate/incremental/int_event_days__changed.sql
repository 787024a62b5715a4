-- Days, UTC or by a member's clock, with events that are new or may count otherwise than in the last build.
{%- set trends = previous_build('asset_performance_daily') -%}
{%- set gaps = previous_build('search_gaps_daily') -%}
{%- set erased_days = previous_build('erased_days') -%}
{%- set first_day = first_changed_day() %}
{%- if execute and first_day.year == 1970 %}

-- All days: is_changed asks for no list.
select cast(null as date) as event_on where false
{%- else %}

with

changed_titles as (

    select title_id from {{ ref('int_titles__changed') }}
    where has_changed_genres

),

events as (

    {% for base, title_id in event_tables().items() -%}
    select
        event_at,
        utc_offset_minutes

    from {{ ref(base) }}
    where
        received_at >= cast('{{ first_day }}' as timestamp)
        or {{ title_id }} in (select title_id from changed_titles)

    {{ 'union all' if not loop.last }}

    {% endfor %}
),

days as (

    -- Expired impressions and searches: all days up to the first that is left.
    {% for built, happened_on, source_name, stream in [
        (trends, 'shown_on', 'playback', 'impressions'), (gaps, 'searched_on', 'engagement', 'searches'),
    ] if built or not execute -%}
    select {{ happened_on }} as event_on
    from {{ built }}
    where {{ happened_on }} <= cast('{{ first_received_day(source_name, stream) }}' as date)

    union

    {% endfor -%}
    {% if erased_days -%}
    select event_on from {{ erased_days }}

    union

    {% endif -%}
    select cast(event_at as date) as event_on from events
    union
    select cast({{ local_time('event_at', 'utc_offset_minutes') }} as date) as event_on from events

)

select * from days
{%- endif %}
