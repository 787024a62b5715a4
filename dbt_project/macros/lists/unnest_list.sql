{#- One row per element of a list, inside a select. -#}
{% macro unnest_list(list) %}{{ return(adapter.dispatch('unnest_list')(list)) }}{% endmacro %}

{% macro duckdb__unnest_list(list) %}unnest({{ list }}){% endmacro %}

{% macro spark__unnest_list(list) %}explode({{ list }}){% endmacro %}
