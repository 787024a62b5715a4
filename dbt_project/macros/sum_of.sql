{#- The sum of the elements of a list; 0 for an empty one. -#}
{% macro sum_of(list) %}{{ return(adapter.dispatch('sum_of')(list)) }}{% endmacro %}

{% macro duckdb__sum_of(list) %}coalesce(list_sum({{ list }}), 0){% endmacro %}

{% macro spark__sum_of(list) %}aggregate({{ list }}, cast(0 as double), (total, x) -> total + x){% endmacro %}
