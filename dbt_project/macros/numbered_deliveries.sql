{#- Rows numbered within their key; 1 is the one that counts. An exact repeat says nothing that number 1
    does not; when it arrived belongs to the delivery, not to what it says. -#}
{% macro numbered_deliveries(source_name, stream, received, key, by) %}
    {%- set said = contract_columns(source_name, stream) | reject('equalto', 'received_at') | list %}
    select
        *,

        row_number() over deliveries as delivery_number,

        row_number() over deliveries > 1
        and {{ as_one(said) }} is not distinct from first_value({{ as_one(said) }}) over deliveries
            as is_exact_repeat

    from {{ received }}
    window deliveries as (
        partition by {{ key | join(', ') }} order by {{ by }}
        rows between unbounded preceding and current row
    )
{% endmacro %}
