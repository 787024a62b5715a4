{#- Several columns as one value that can be compared. -#}
{% macro row_struct(columns) %}{{ return(adapter.dispatch('row_struct')(columns)) }}{% endmacro %}

{% macro duckdb__row_struct(columns) %}row({{ columns | join(', ') }}){% endmacro %}

{% macro spark__row_struct(columns) %}struct({{ columns | join(', ') }}){% endmacro %}
