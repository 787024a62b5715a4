{#- True for a cell of enough distinct members to say nothing about any one of them. -#}
{% macro at_least_members(member_id='member_id') -%}
count(distinct {{ member_id }}) >= {{ var('minimum_cell_members') }}
{%- endmacro %}
