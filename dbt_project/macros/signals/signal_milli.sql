{#- The signal of a kind of event: the vars have each with its reason. -#}
{% macro signal_milli(kind) -%}
    {%- set weights = var('signal_milli') -%}
    {%- if kind not in weights -%}
        {{ exceptions.raise_compiler_error("no signal_milli weight for " ~ kind ~ ": add it to the vars of dbt_project.yml") }}
    {%- endif -%}
{{ weights[kind] }}
{%- endmacro %}
