-- Days of which the built acts still count rows that have been dropped past their retention.
{%- set built = as_built('int_acts__weighed') %}

with

expired as (

    {% if not built -%}
    select
        cast(null as date) as received_on,
        false as is_opinion
    where false
    {% endif -%}
    {% for act_kind, source_name, stream in [
        ('play', 'playback', 'plays'),
        ('impression', 'playback', 'impressions'),
        ('rating', 'engagement', 'ratings'),
        ('search', 'engagement', 'searches'),
    ] if built or not execute -%}
    select
        received_on,
        {{ act_kind in ['play', 'rating'] }} as is_opinion

    from {{ built }}
    where
        act_kind = '{{ act_kind }}'
        and landed_on < cast('{{ first_received_day(source_name, stream) }}' as date)

    {{ 'union all' if not loop.last }}

    {% endfor %}
),

days as (

    select
        received_on,
        bool_or(is_opinion) as had_opinions

    from expired
    group by received_on

)

select * from days
