{#- Two lists end to end; null counts as empty. -#}
{% macro concat_lists(first, second) %}{{ return(adapter.dispatch('concat_lists')(first, second)) }}{% endmacro %}

{% macro duckdb__concat_lists(first, second) %}list_concat({{ first }}, {{ second }}){% endmacro %}

{% macro spark__concat_lists(first, second) %}concat(coalesce({{ first }}, array()), coalesce({{ second }}, array())){% endmacro %}
