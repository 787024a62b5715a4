{#- What is left of int_member_windows after its first part. -#}
{% macro insert_other_parts() %}
    {%- set parts = member_parts() -%}
    {%- for part in range(1, parts) %}
    insert into {{ this }} {{ summed_windows(part, parts) }};
    {%- endfor -%}
{% endmacro %}
