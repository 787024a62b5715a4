-- What the incremental tables were built from. It is written after all of them: what a night that failed has
-- done is done again. Tables after `depends on` are only waited for.
{% for built in [
    'int_events__weighted', 'int_member_title_days__summed', 'int_members__windowed', 'int_titles__windowed',
    'member_search_intents', 'member_tastes',
    'asset_performance_daily', 'daypart_trends_daily', 'genre_trends_daily', 'search_gaps_daily',
] -%}
-- depends on {{ ref(built) }}
{% endfor %}
with

batches as (

    {% for base in (event_tables() | list) + ['base_catalogue__titles'] -%}
    select max(batch) as batch from {{ ref(base) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

newest as (

    select
        coalesce(max(batch), -1) as newest_batch,
        {{ as_of() }} as as_of,
        cast('{{ var("code_sha256") or "" }}' as varchar) as code_sha256,
        (select max(changes.since_build) + 1 from {{ ref('int_first_days__changed') }} as changes)
            as build_number

    from batches

)

select * from newest
