{#- A table that says what changed. A test reads it by name: it waits for its model, and that waited for these. -#}
{% macro changes_of(name) %}
    {%- set model_name = 'int_changes__' ~ name -%}
    {%- if model.resource_type == 'test' -%}
        {{ return(adapter.get_relation(target.database, target.schema, model_name)) }}
    {%- endif -%}
    {{ return(ref(model_name)) }}
{% endmacro %}
