{#- What an earlier build left under this name, or none: read by name, for a ref to it would be a circle. -#}
{% macro as_built(name) %}
    {{ return(adapter.get_relation(this.database, this.schema, name) if execute else none) }}
{% endmacro %}
