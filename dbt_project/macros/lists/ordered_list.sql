{#- The values of a group as a list in a total order; an empty one when there are none. -#}
{% macro ordered_list(value, by, type, where='true') %}{{ return(adapter.dispatch('ordered_list')(value, by, type, where)) }}{% endmacro %}

{% macro duckdb__ordered_list(value, by, type, where) -%}
coalesce(list({{ value }} order by {{ by }}) filter (where {{ where }}), cast([] as {{ type }}[]))
{%- endmacro %}

{% macro spark__ordered_list(value, by, type, where) -%}
transform(array_sort(collect_list(struct({{ by }} as rank, {{ value }} as value)) filter (where {{ where }})), x -> cast(x.value as {{ type }}))
{%- endmacro %}
