{#- Rows numbered within their key; 1 is the one that counts. A repeat says what number 1 says: a file that
    was copied, or an event that was delivered again, which may have another `received_at`, `country`,
    `device` and `utc_offset_minutes`. What says anything else under the same key is a conflict.
    Few keys come twice, and only those are sorted: a window over all rows takes three times as long. -#}
{% macro numbered_deliveries(source_name, stream, received, key, by) %}
    {%- set said = contract_columns(source_name, stream) %}
    {%- set of_delivery = ['received_at', 'country', 'device', 'utc_offset_minutes'] %}
    {%- set facts = said | reject('in', of_delivery) | list if 'received_at' in said else said %}
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
            {{ as_json(facts) }} as said,
            first_value({{ as_json(facts) }}) over deliveries as said_first

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
