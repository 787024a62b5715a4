{#- In how many parts to sum over members: so many that each has some two million of their days. -#}
{% macro member_parts() %}
    {%- set model = ref('int_member_title_days') -%}
    {%- set days = load_relation(model) if execute else none -%}
    {%- set asked = 'select count(*) from ' ~ days ~ ' where ' ~ may_differ('received_on', 'receipt') -%}
    {{ return(run_query(asked).columns[0].values()[0] // 2000000 + 1 if days else 1) }}
{% endmacro %}
