{#- In how many parts to read int_member_title_days. -#}
{% macro parts_of_title_days(where) %}
    {%- set model = ref('int_member_title_days') -%}
    {%- set days = load_relation(model) if execute else none -%}
    {%- set asked = 'select count(*) from ' ~ days ~ ' where ' ~ where -%}
    {{ return(run_query(asked).columns[0].values()[0] // var('title_days_a_part') + 1 if days else 1) }}
{% endmacro %}
