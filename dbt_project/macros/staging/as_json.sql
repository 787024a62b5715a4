{#- Several columns as one JSON object. -#}
{% macro as_json(columns) %}{{ return(adapter.dispatch('as_json')(columns)) }}{% endmacro %}

{% macro duckdb__as_json(columns) -%}
cast(to_json(struct_pack({% for name in columns %}{{ name }} := {{ name }}{{ ', ' if not loop.last }}{% endfor %})) as varchar)
{%- endmacro %}

{% macro spark__as_json(columns) -%}
to_json(struct({{ columns | join(', ') }}), map('ignoreNullFields', 'false'))
{%- endmacro %}
