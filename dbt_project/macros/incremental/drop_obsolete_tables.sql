{#- Before a run: drops what an older version of the project has built under a name that no model has now. No run would
    expire its rows or withdraw a consent there. Only names of this kind: tables made by hand stay. -#}
{% macro drop_obsolete_tables() %}
    {%- if execute -%}
        {%- set models = graph.nodes.values() | map(attribute='name') | list -%}
        {%- set query -%}
            select table_name from information_schema.tables
            where
                table_schema = '{{ target.schema }}'
                and (starts_with(table_name, 'int_') or starts_with(table_name, 'built_'))
        {%- endset -%}
        {%- for name in run_query(query).columns[0].values() if name not in models -%}
            {%- do adapter.drop_relation(adapter.get_relation(target.database, target.schema, name)) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
