{#- True for rows that were received by as_of: events by the instant, snapshots by the day. -#}
{% macro known_by_as_of(column) -%}
    {%- if column == 'landed_on' -%}
landed_on < cast({{ as_of() }} as date)
    {%- else -%}
{{ column }} < {{ as_of() }}
    {%- endif -%}
{%- endmacro %}
