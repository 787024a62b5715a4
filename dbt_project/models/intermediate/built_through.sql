-- How far the incremental tables reach. Written when all of them are: what a night that broke off has
-- done is done again. Everything after `depends on` is only waited for.
{% for built in [
    'int_acts__weighed', 'int_member_title_days', 'int_member_windows', 'int_title_sums',
    'member_search_intents', 'member_tastes',
    'asset_performance_daily', 'daypart_trends_daily', 'genre_trends_daily', 'search_gaps_daily',
] -%}
-- depends on {{ ref(built) }}
{% endfor %}
with

batches as (

    {% for base in (bases_of_acts() | list) + ['base_catalogue__titles'] -%}
    select max(batch) as batch from {{ ref(base) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

reached as (

    select
        coalesce(max(batch), -1) as newest_batch,
        {{ as_of() }} as as_of,
        cast('{{ var("code_sha256") or "" }}' as varchar) as code_sha256,
        (select max(changes.since_build) + 1 from {{ ref('int_changes__first_day') }} as changes)
            as build_number

    from batches

)

select * from reached
