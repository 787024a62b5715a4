{#- Fails for each combination of columns that is there twice, or has a null where `nullable` has none. -#}
{% test unique_combination(model, columns, nullable=[]) %}

select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}

{% endtest %}
