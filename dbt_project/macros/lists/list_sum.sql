{#- The sum of the elements of a list; 0 for an empty one. -#}
{% macro list_sum(list) %}{{ return(adapter.dispatch('list_sum')(list)) }}{% endmacro %}

{% macro duckdb__list_sum(list) %}coalesce(list_sum({{ list }}), 0){% endmacro %}

{% macro spark__list_sum(list) %}aggregate({{ list }}, cast(0 as double), (total, x) -> total + x){% endmacro %}
