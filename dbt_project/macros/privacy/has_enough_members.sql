{#- True for a cell of enough distinct members to say nothing about any one of them. -#}
{% macro has_enough_members() -%}
count(distinct member_id) >= {{ var('minimum_cell_members') }}
{%- endmacro %}
