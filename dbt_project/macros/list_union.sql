{#- Two lists end to end; null counts as empty. -#}
{% macro list_union(first, second) %}{{ return(adapter.dispatch('list_union')(first, second)) }}{% endmacro %}

{% macro duckdb__list_union(first, second) %}list_concat({{ first }}, {{ second }}){% endmacro %}

{% macro spark__list_union(first, second) %}concat(coalesce({{ first }}, array()), coalesce({{ second }}, array())){% endmacro %}
