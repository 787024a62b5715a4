{#- At the end of a night in which all went well: how far the tables are built and tested. -#}
{% macro remember_tested(results) %}
    {%- set broken = results | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op']) | list -%}
    {%- if execute and flags.WHICH == 'build' and var('code_sha256') and not broken -%}
        create or replace table {{ target.schema }}.built_and_tested as
        select * from {{ target.schema }}.built_through
    {%- endif -%}
{% endmacro %}
