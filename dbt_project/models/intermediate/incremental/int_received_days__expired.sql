-- Days of receipt of which the last build still counts events that have expired since.
{%- set built = previous_build('int_events__weighted') %}
{%- set intents = previous_build('member_search_intents') %}

with

expired as (

    {% if not built -%}
    select
        cast(null as date) as received_on,
        false as is_play_or_rating,
        false as is_search
    where false
    {% endif -%}
    {% for event_kind, source_name, stream in [
        ('play', 'playback', 'plays'),
        ('impression', 'playback', 'impressions'),
        ('rating', 'engagement', 'ratings'),
        ('search', 'engagement', 'searches'),
    ] if built or not execute -%}
    select
        received_on,
        {{ event_kind in ['play', 'rating'] }} as is_play_or_rating,
        {{ event_kind == 'search' }} as is_search

    from {{ built }}
    where
        event_kind = '{{ event_kind }}'
        and landed_on < cast('{{ first_received_day(source_name, stream) }}' as date)

    {{ 'union all' if not loop.last }}

    {% endfor %}
    {% if intents or not execute -%}
    union all

    -- Searches without a chosen title are in no other table.
    select
        {{ days_after('cast(observed_at as date)', -1) }} as received_on,
        false as is_play_or_rating,
        true as is_search

    from {{ intents }}
    where cast(observed_at as date) <= cast('{{ first_received_day('engagement', 'searches') }}' as date)
    {%- endif %}
),

days as (

    select
        received_on,
        bool_or(is_play_or_rating) as had_plays_or_ratings,
        bool_or(is_search) as had_searches

    from expired
    group by received_on

)

select * from days
