{#- The largest values of a group as a list, largest first. -#}
{% macro top_n(value, count) %}{{ return(adapter.dispatch('top_n')(value, count)) }}{% endmacro %}

{% macro duckdb__top_n(value, count) %}max({{ value }}, {{ count }}){% endmacro %}

{% macro spark__top_n(value, count) %}slice(sort_array(collect_list({{ value }}), false), 1, {{ count }}){% endmacro %}
