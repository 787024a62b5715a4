{#- One row per element of a list, inside a select. -#}
{% macro each(list) %}{{ return(adapter.dispatch('each')(list)) }}{% endmacro %}

{% macro duckdb__each(list) %}unnest({{ list }}){% endmacro %}

{% macro spark__each(list) %}explode({{ list }}){% endmacro %}
