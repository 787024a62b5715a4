{#- A total over rows that are one member each; null when too few members make it up, or one of them makes
    up too much of it. -#}
{% macro suppress_small_cells(column) -%}
case
    when
        count(*) filter (where {{ column }} > 0) >= {{ var('minimum_cell_members') }}
        and max({{ column }}) * {{ var('dominance_divisor') }} <= sum({{ column }})
        then cast(sum({{ column }}) as bigint)
end
{%- endmacro %}
