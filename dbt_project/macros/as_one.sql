{#- Several columns as one value that can be compared. -#}
{% macro as_one(columns) %}{{ return(adapter.dispatch('as_one')(columns)) }}{% endmacro %}

{% macro duckdb__as_one(columns) %}row({{ columns | join(', ') }}){% endmacro %}

{% macro spark__as_one(columns) %}struct({{ columns | join(', ') }}){% endmacro %}
