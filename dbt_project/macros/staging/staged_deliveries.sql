{#- A base model: every delivery of every row of a stream, numbered within its key. Number 1 counts: the event that was
    received first; of a snapshot's day the row that landed last.

    An exact repeat has the values of number 1 in every column of the contract: a file that was copied. A retry has
    another time of receipt, and is a duplicate. Few keys have more than one row, and only those are sorted: a window
    over all rows takes three times as long. -#}
{% macro staged_deliveries(stream) %}
    {%- set source_name = streams()[stream].source -%}
    {%- set snapshot_key = streams()[stream].key -%}
    {%- set key = ['landed_on'] + snapshot_key if snapshot_key else ['event_id'] -%}
    {%- set order = 'batch desc, file desc, line desc' if snapshot_key else 'received_at, file, line' -%}
    {%- set columns = contract_columns(source_name, stream) -%}
    {{- config(unique_key=key[0]) -}}
    with

    received as (

        {{ unstaged_rows(source_name, stream, key=key[0]) }}

    ),

    repeated_keys as (

        select {{ key | join(', ') }}
        from received
        group by {{ key | join(', ') }}
        having count(*) > 1

    ),

    marked as (

        select
            received.*,
            repeated_keys.{{ key[0] }} is not null as is_repeated

        from received

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
            null as content,
            null as first_content

        from marked
        where not is_repeated

        union all

        select
            *,

            row_number() over deliveries as delivery_number,
            {{ as_json(columns) }} as content,
            first_value({{ as_json(columns) }}) over deliveries as first_content

        from marked
        where is_repeated
        window deliveries as (
            partition by {{ key | join(', ') }} order by {{ order }}
            rows between unbounded preceding and current row
        )

    )

    select
        {% for column in ['file', 'line', 'landed_on', 'batch'] + columns -%}
        {{ column }},
        {% endfor -%}
        delivery_number,
        delivery_number > 1 and content = first_content as is_exact_repeat

    from numbered
{% endmacro %}
