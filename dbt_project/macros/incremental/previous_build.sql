{#- The table of this name as the last build left it, or none. Read by name: a ref would be a circle. -#}
{% macro previous_build(name) %}
    {{ return(adapter.get_relation(this.database, this.schema, name) if execute else none) }}
{% endmacro %}
