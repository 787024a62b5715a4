{#- What a member who never answered is taken to have said. -#}
{% macro consent_without_record() -%}
    {%- set answer = var('consent_without_record') -%}
    {%- if answer not in ['granted', 'refused'] -%}
        {{ exceptions.raise_compiler_error("consent_without_record must be granted or refused, got " ~ answer) }}
    {%- endif -%}
{{ 'true' if answer == 'granted' else 'false' }}
{%- endmacro %}
