{#- How many elements a list has. -#}
{% macro length_of(list) %}{{ return(adapter.dispatch('length_of')(list)) }}{% endmacro %}

{% macro duckdb__length_of(list) %}len({{ list }}){% endmacro %}

{% macro spark__length_of(list) %}size({{ list }}){% endmacro %}
