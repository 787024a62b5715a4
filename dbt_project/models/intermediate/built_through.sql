-- How far the incremental tables reach. Written when all of them are: what a night that broke off has
-- done is done again. Everything after `depends on` is only waited for.
{% for built in [
    'int_acts__weighed', 'int_member_title_days', 'int_member_windows',
    'member_activity_stats', 'member_dayparts', 'member_search_intents', 'member_tastes',
    'member_title_signals', 'title_popularity_stats',
    'asset_performance_daily', 'daypart_trends_daily', 'genre_trends_daily', 'search_gaps_daily',
] -%}
-- depends on {{ ref(built) }}
{% endfor %}
with

batches as (

    {% for base in [
        'base_playback__plays', 'base_playback__impressions', 'base_engagement__ratings',
        'base_engagement__searches', 'base_catalogue__titles',
    ] -%}
    select max(batch) as batch from {{ ref(base) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

reached as (

    select
        coalesce(max(batch), -1) as newest_batch,
        {{ as_of() }} as as_of,
        cast('{{ var("code_sha256") or "" }}' as varchar) as code_sha256

    from batches

)

select * from reached
