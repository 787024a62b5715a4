{%- set streams = {
    'playback': ['plays', 'impressions'],
    'engagement': ['ratings', 'searches'],
    'accounts': ['members', 'subscriptions', 'consents', 'privacy_requests'],
    'catalogue': ['titles', 'title_windows', 'assets'],
} -%}

with

-- Received is counted in the files, the rest in the tables: only so can the two disagree.
{% for source_name in streams %}{% for stream in streams[source_name] -%}
{{ stream }} as (

    select
        '{{ stream }}' as stream,
        (select count(*) from {{ source(source_name, stream) }})
        + (select count(*) from {{ source(source_name, 'rejected_' ~ stream) }}) as received_count,
        (select count(*) from {{ ref('stg_' ~ source_name ~ '__' ~ stream) }}) as staged_count,
        (select count(*) from {{ ref('rejected_' ~ stream) }}) as rejected_count,
        (
            select count(*) from {{ ref('base_' ~ source_name ~ '__' ~ stream) }}
            where is_exact_repeat
        ) as exact_repeat_count

),

{% endfor %}{% endfor -%}
unioned as (

    {% for source_name in streams %}{% set last = loop.last %}{% for stream in streams[source_name] -%}
    select * from {{ stream }}
    {{ 'union all' if not (last and loop.last) }}
    {% endfor %}{% endfor %}

)

select * from unioned
