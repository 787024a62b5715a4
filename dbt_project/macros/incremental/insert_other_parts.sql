{#- A post-hook: runs the model's query again for each part after the first. -#}
{% macro insert_other_parts() %}
    {%- if execute and target.type == 'duckdb' -%}
        {%- set parts = run_query("select getvariable('parts')").columns[0].values()[0] | int -%}
        {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') -%}
        {%- for part in range(1, parts) %}
    set variable part = {{ part }};
    insert into {{ this }} ({{ columns }})
    {{ sql }};
        {%- endfor %}
    reset variable later_members;
    reset variable parts;
    reset variable part
    {%- endif -%}
{% endmacro %}
