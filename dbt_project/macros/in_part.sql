{#- True for the rows of one part of the keys. -#}
{% macro in_part(key, parts, part) %}{{ return(adapter.dispatch('in_part')(key, parts, part)) }}{% endmacro %}

{% macro duckdb__in_part(key, parts, part) %}{{ return('hash(' ~ key ~ ') % ' ~ parts ~ ' = ' ~ part) }}{% endmacro %}

{% macro spark__in_part(key, parts, part) %}{{ return('pmod(hash(' ~ key ~ '), ' ~ parts ~ ') = ' ~ part) }}{% endmacro %}
