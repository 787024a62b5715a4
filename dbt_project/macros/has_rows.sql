{#- Whether this relation, built before in the same run, has any rows. -#}
{% macro has_rows(relation, where='true') %}
    {%- set asked = 'select count(*) > 0 from ' ~ relation ~ ' where ' ~ where -%}
    {{ return(run_query(asked).columns[0].values()[0] if execute else false) }}
{% endmacro %}
