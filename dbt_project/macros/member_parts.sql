{#- In how many parts to sum over members: so many that each has some two million of their days. -#}
{% macro member_parts() %}
    {%- if not execute -%}
        {{ return(1) }}
    {%- endif -%}
    {%- set asked = 'select count(*) from ' ~ ref('int_member_title_days') ~ ' where ' ~ may_differ('received_on', 'receipt') -%}
    {{ return(run_query(asked).columns[0].values()[0] // 2000000 + 1) }}
{% endmacro %}
