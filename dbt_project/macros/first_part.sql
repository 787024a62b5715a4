{#- True for the first part of the keys, in a model whose post-hook is insert_other_parts. Running sums and great
    groups of all keys at once do not fit into the memory of a small machine, and DuckDB cannot spill them.

    where: which rows of int_member_title_days are read. -#}
{% macro first_part(key, where='true') %}
    {%- set parts = parts_of_title_days(where) -%}
    {{ return(in_part(key, parts, 0) ~ ' /* the first of ' ~ parts ~ ' */') }}
{% endmacro %}
