{#- Rows numbered within their key; 1 is the one that counts. An exact repeat says what number 1 says, to
    the last column: a file that was copied. A retry has another time of receipt, and is a duplicate.
    Few keys come twice, and only those are sorted: a window over all rows takes three times as long. -#}
{% macro numbered_deliveries(source_name, stream, received, key, by) %}
    {%- set said = contract_columns(source_name, stream) %}
    with

    repeated_keys as (

        select {{ key | join(', ') }}
        from {{ received }}
        group by {{ key | join(', ') }}
        having count(*) > 1

    ),

    marked as (

        select
            received.*,
            repeated_keys.{{ key[0] }} is not null as is_repeated

        from {{ received }} as received

        left join repeated_keys
            on
                {% for column in key -%}
                received.{{ column }} is not distinct from repeated_keys.{{ column }}
                {{ 'and ' if not loop.last }}
                {%- endfor %}
    ),

    numbered as (

        select
            *,
            1 as delivery_number,
            null as said,
            null as said_first

        from marked
        where not is_repeated

        union all

        select
            *,

            row_number() over deliveries as delivery_number,
            {{ as_json(said) }} as said,
            first_value({{ as_json(said) }}) over deliveries as said_first

        from marked
        where is_repeated
        window deliveries as (
            partition by {{ key | join(', ') }} order by {{ by }}
            rows between unbounded preceding and current row
        )

    )

    select
        {% for column in ['file', 'line', 'landed_on', 'batch'] + said -%}
        {{ column }},
        {% endfor -%}
        delivery_number,
        delivery_number > 1 and said = said_first as is_exact_repeat

    from numbered
{% endmacro %}
