-- A failure means that affinities do not stand beside their names, or add up to more than the whole:
-- Feast would hand out the taste of one genre under the name of another.
{% for names, shares in [
    ('genres', 'genre_affinities'), ('people', 'person_affinities'), ('themes', 'theme_affinities'),
] -%}
select
    'member_tastes: {{ names }} and {{ shares }} are no shares' as failure,
    observed_at

from {{ ref('member_tastes') }}
where
    {{ list_length(names) }} <> {{ list_length(shares) }}
    or {{ list_length(names) }} > 8
    or {{ list_sum(shares) }} > 1.000001 -- floats
{{ 'union all' if not loop.last }}
{% endfor %}
