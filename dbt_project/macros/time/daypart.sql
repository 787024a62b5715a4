{#- The part of the day a local time falls in. -#}
{% macro daypart(local_at) -%}
case
    when extract(hour from {{ local_at }}) between 5 and 11 then 'morning'
    when extract(hour from {{ local_at }}) between 12 and 16 then 'afternoon'
    when extract(hour from {{ local_at }}) between 17 and 21 then 'evening'
    else 'night'
end
{%- endmacro %}
