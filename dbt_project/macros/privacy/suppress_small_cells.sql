{#- The sum of a column over rows of one member each; null when too few members add to it, or when one member makes up
    too much of it (the dominance rule). -#}
{% macro suppress_small_cells(column) -%}
case
    when
        count(*) filter (where {{ column }} > 0) >= {{ var('minimum_cell_members') }}
        and max({{ column }}) * {{ var('dominance_divisor') }} <= sum({{ column }})
        then cast(sum({{ column }}) as bigint)
end
{%- endmacro %}
