{#- Whether a relation that was built before in the same run has any rows. -#}
{% macro has_rows(relation, where='true') %}
    {%- set built = load_relation(relation) if execute else none -%}
    {%- set query = 'select count(*) > 0 from ' ~ built ~ ' where ' ~ where -%}
    {{ return(run_query(query).columns[0].values()[0] if built else false) }}
{% endmacro %}
