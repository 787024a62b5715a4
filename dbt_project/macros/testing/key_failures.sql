{#- One row for each combination of `columns` that a relation has twice, or that has a null where `nullable` has none. -#}
{% macro key_failures(relation, columns, nullable=[], table='') %}
    {%- set prefix = table ~ ': ' if table else '' -%}
    select
        case
            {%- for column in columns if column not in nullable %}
            when {{ column }} is null then '{{ prefix }}{{ column }} is null'
            {%- endfor %}
            else '{{ prefix }}{{ columns | join(', ') }} not unique'
        end as failure

    from {{ relation }}
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {%- for column in columns if column not in nullable %}
        or {{ column }} is null
        {%- endfor %}
{% endmacro %}
