{#- The sum of a column up to each row, per key and in order of `observed_on`. -#}
{% macro running_total(column, key) -%}
cast(
    sum({{ column }}) over (
        partition by {{ key }} order by observed_on
        rows between unbounded preceding and current row
    ) as bigint
)
{%- endmacro %}
