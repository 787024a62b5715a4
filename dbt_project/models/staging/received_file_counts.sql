{%- set streams = {
    'playback': ['plays', 'impressions'],
    'engagement': ['ratings', 'searches'],
    'accounts': ['members', 'subscriptions', 'consents', 'privacy_requests'],
    'catalogue': ['titles', 'title_windows', 'assets'],
} -%}
{%- set fates = ['received', 'staged', 'rejected', 'exact_repeat'] -%}

-- A table, so that the tables it counts are read once, whoever asks.
{{ config(materialized='table') }}

with

-- Received is counted in the files, the rest in the tables: only so can the two disagree.
counted as (

    {% for source_name in streams %}{% set last = loop.last %}{% for stream in streams[source_name] -%}
    {% set last = last and loop.last -%}
    {% for fate, counted in [
        ('received', source(source_name, stream)),
        ('received', source(source_name, 'rejected_' ~ stream)),
        ('staged', ref('stg_' ~ source_name ~ '__' ~ stream)),
        ('rejected', ref('rejected_' ~ stream)),
        ('exact_repeat', ref('base_' ~ source_name ~ '__' ~ stream)),
    ] -%}
    select
        '{{ stream }}' as stream,
        '{{ fate }}' as fate,
        file,
        count(*) as row_count
    from {{ counted }}
    {{ 'where is_exact_repeat' if fate == 'exact_repeat' }}
    group by file
    {{ 'union all' if not (last and loop.last) }}
    {% endfor %}{% endfor %}{% endfor %}

),

summed as (

    select
        stream,
        file,
        {% for fate in fates -%}
        cast(coalesce(sum(row_count) filter (where fate = '{{ fate }}'), 0) as bigint)
            as {{ fate }}_count{{ ',' if not loop.last }}
        {% endfor %}
    from counted
    group by stream, file

)

select * from summed
