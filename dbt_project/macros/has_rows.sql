{#- Whether this model, built before in the same run, has any rows. -#}
{% macro has_rows(model) %}
    {%- set asked = 'select count(*) > 0 from ' ~ ref(model) -%}
    {{ return(run_query(asked).columns[0].values()[0] if execute else false) }}
{% endmacro %}
