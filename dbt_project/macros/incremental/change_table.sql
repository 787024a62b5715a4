{#- A table that says what has changed since the last build: int_*__changed and int_*__expired. A data test reads it
    by name, without a ref: the test runs after its model, and the model has waited for the table. -#}
{% macro change_table(name) %}
    {%- if model.resource_type == 'test' -%}
        {{ return(adapter.get_relation(target.database, target.schema, name)) }}
    {%- endif -%}
    {{ return(ref(name)) }}
{% endmacro %}
