{#- The largest values of a group as a list, largest first. -#}
{% macro largest(value, count) %}{{ return(adapter.dispatch('largest')(value, count)) }}{% endmacro %}

{% macro duckdb__largest(value, count) %}max({{ value }}, {{ count }}){% endmacro %}

{% macro spark__largest(value, count) %}slice(sort_array(collect_list({{ value }}), false), 1, {{ count }}){% endmacro %}
