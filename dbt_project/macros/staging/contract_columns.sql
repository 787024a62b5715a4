{#- The columns of a stream in the order of its contract (the sources' yml), without those that say where a row is from. -#}
{% macro contract_columns(source_name, stream) %}
    {% set names = [] %}
    {% if execute %}
        {% for node in graph.sources.values() if node.source_name == source_name and node.name == stream %}
            {% for name in node.columns if name not in ['file', 'line', 'landed_on', 'batch'] %}
                {% do names.append(name) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {{ return(names) }}
{% endmacro %}
