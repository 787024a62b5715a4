{#- Before a run: drops the incremental tables whose code, columns or contract changed since the last build, so that they
    are built whole. A night names them in the var `changed_models`; by hand, `--full-refresh` does the same. -#}
{% macro drop_changed_tables() %}
    {%- if execute and flags.WHICH == 'build' -%}
        {%- for name in var('changed_models') -%}
            {%- set relation = adapter.get_relation(target.database, target.schema, name) -%}
            {%- if relation -%}
                {%- do adapter.drop_relation(relation) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
