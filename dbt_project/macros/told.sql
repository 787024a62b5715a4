{#- A total over rows that are one member each; null when too few members make it up, or one of them makes
    up too much of it. -#}
{% macro told(column) -%}
case
    when
        count(*) filter (where {{ column }} > 0) >= {{ var('minimum_cell_members') }}
        and max({{ column }}) * {{ var('members_worth_the_largest') }} <= sum({{ column }})
        then cast(sum({{ column }}) as bigint)
end
{%- endmacro %}
