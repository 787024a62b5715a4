{#- True for a cell with so many distinct members that it reveals nothing about any one of them. -#}
{% macro has_enough_members() -%}
count(distinct member_id) >= {{ var('minimum_cell_members') }}
{%- endmacro %}
