{#- The weight of an act: see the vars, where each has its reason. -#}
{% macro signal_milli(act) -%}
    {%- set weights = var('signal_milli') -%}
    {%- if act not in weights -%}
        {{ exceptions.raise_compiler_error("no signal_milli weight for " ~ act ~ ": add it to the vars of dbt_project.yml") }}
    {%- endif -%}
{{ weights[act] }}
{%- endmacro %}
