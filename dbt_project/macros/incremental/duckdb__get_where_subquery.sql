{#- What a generic data test reads of its model. In a night: the rows that may have changed since the last build that
    passed all tests. A key that was unique among the other rows still is. By hand, with other code, and after a night
    that failed: all rows. The model says by `meta.changed_rows` which rows change; a staged table has its batches. -#}
{% macro duckdb__get_where_subquery(relation) %}
    {%- set node = graph.nodes.get(model.attached_node) if execute else none -%}
    {%- set staged = {'column': 'batch', 'clock': 'batch'} if node and 'batch' in node.columns else none -%}
    {%- set changed = node.config.meta.get('changed_rows', staged) if node else none -%}
    {%- set condition = changed_since_tested(relation, **changed) if changed else 'true' -%}
    {%- set rows = '(select * from ' ~ relation ~ ' where ' ~ condition ~ ') as changed' -%}
    {{ return(relation if condition == 'true' else rows) }}
{% endmacro %}
