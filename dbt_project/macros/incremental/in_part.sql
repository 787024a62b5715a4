{#- True for the rows of the part that is being built, in a model with the hooks set_parts and insert_other_parts.
    Without them, as in a unit test, there is one part with all rows. Only DuckDB needs parts: it cannot spill running
    sums and large groups of all keys to disk. The casts keep the division in 64 bits: in 128 it takes 18 times as
    long. -#}
{% macro in_part(key) %}{{ return(adapter.dispatch('in_part')(key)) }}{% endmacro %}

{% macro default__in_part(key) %}{{ return('true') }}{% endmacro %}

{% macro duckdb__in_part(key) %}
    {%- set parts = "cast(coalesce(getvariable('parts'), 1) as ubigint)" -%}
    {%- set part = "cast(coalesce(getvariable('part'), 0) as ubigint)" -%}
    {{ return('hash(' ~ key ~ ') % ' ~ parts ~ ' = ' ~ part) }}
{% endmacro %}
