{#- What is left of a model after its first part: the same query for each of the others. -#}
{% macro insert_other_parts(key) %}
    {%- if execute -%}
        {%- set parts = modules.re.search('the first of ([0-9]+)', sql).group(1) | int -%}
        {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') -%}
        {%- for part in range(1, parts) %}
    insert into {{ this }} ({{ columns }})
    {{ sql | replace(in_part(key, parts, 0), in_part(key, parts, part)) }};
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
