{#- At the end of a run in which everything was built and passed: the last build is also the last tested one, and no sum
    counts erased members any more. -#}
{% macro record_tested_build(results) %}
    {%- set failed = results | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op']) | list -%}
    {%- if execute and flags.WHICH == 'build' and var('code_sha256') and not failed -%}
        create or replace table {{ target.schema }}.last_tested_build as
        select * from {{ target.schema }}.last_build;

        drop table if exists {{ target.schema }}.erased_days
    {%- endif -%}
{% endmacro %}
