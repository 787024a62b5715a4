{#- A list without nulls and repeats, in order; an empty one for null. -#}
{% macro sorted_set(list) %}{{ return(adapter.dispatch('sorted_set')(list)) }}{% endmacro %}

{% macro duckdb__sorted_set(list) %}list_sort(list_distinct(coalesce({{ list }}, cast([] as varchar[])))){% endmacro %}

{% macro spark__sorted_set(list) %}array_sort(array_distinct(array_compact(coalesce({{ list }}, cast(array() as array<string>))))){% endmacro %}
