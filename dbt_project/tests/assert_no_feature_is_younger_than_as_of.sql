-- A failure means that a feature knows of something after as_of: a model trained on it would look better
-- than it is, and a replay of an old night would not give what that night gave.
{% for table in [
    'member_profiles', 'member_tastes', 'member_activity_stats', 'member_dayparts',
    'member_search_intents', 'member_title_signals', 'title_contents', 'title_popularity_stats',
] -%}
select
    '{{ table }}: observed_at is after as_of' as failure,
    observed_at

from {{ ref(table) }}
where observed_at > {{ as_of() }}
{{ 'union all' if not loop.last }}
{% endfor %}
