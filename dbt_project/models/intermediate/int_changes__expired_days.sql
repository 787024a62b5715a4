-- Days of which the built acts still count rows that have been dropped past their retention.
{%- set built = as_built('int_acts__weighed') %}

with

expired as (

    {% for act_kind, source_name, stream in [
        ('play', 'playback', 'plays'),
        ('impression', 'playback', 'impressions'),
        ('rating', 'engagement', 'ratings'),
        ('search', 'engagement', 'searches'),
    ] -%}
    select
        received_on,
        {{ act_kind in ['play', 'rating'] }} as is_opinion

    from {{ built or '(select null as received_on, null as act_kind, null as landed_on)' }}
    where
        act_kind = '{{ act_kind }}'
        and landed_on < cast('{{ first_received_day(source_name, stream) }}' as date)

    {{ 'union all' if not loop.last }}

    {% endfor %}
),

days as (

    select
        cast(received_on as date) as received_on,
        bool_or(is_opinion) as had_opinions

    from expired
    group by received_on

)

select * from days
