{#- Whether this relation, built before in the same run, has any rows. -#}
{% macro has_rows(relation, where='true') %}
    {%- set built = load_relation(relation) if execute else none -%}
    {%- set asked = 'select count(*) > 0 from ' ~ built ~ ' where ' ~ where -%}
    {{ return(run_query(asked).columns[0].values()[0] if built else false) }}
{% endmacro %}
