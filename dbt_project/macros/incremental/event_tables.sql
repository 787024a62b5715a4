{#- The base tables of events on titles, each with its column that names a title. -#}
{% macro event_tables() %}
    {%- set tables = {} -%}
    {%- for stream, one in streams().items() if one.member_id and one.title_id -%}
        {%- do tables.update({'base_' ~ one.source ~ '__' ~ stream: one.title_id}) -%}
    {%- endfor -%}
    {{ return(tables) }}
{% endmacro %}
