{#- What a data test reads of its model: in a night the rows that may differ from those tested the night before,
    for a key that was unique among the others still is; all of them by hand, when the code is other than it
    was, and when the night before was not tested to its end. What is staged says which batch it came with. -#}
{% macro duckdb__get_where_subquery(relation) %}
    {%- set node = graph.nodes.get(model.attached_node) if execute else none -%}
    {%- set staged = {'column': 'batch', 'clock': 'batch'} if node and 'batch' in node.columns else none -%}
    {%- set changes = node.config.meta.get('changes', staged) if node else none -%}
    {%- set condition = untested(relation, **changes) if changes else 'true' -%}
    {%- set rows = '(select * from ' ~ relation ~ ' where ' ~ condition ~ ') as untested' -%}
    {{ return(relation if condition == 'true' else rows) }}
{% endmacro %}
