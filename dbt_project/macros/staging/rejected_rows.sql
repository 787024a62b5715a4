{#- A rejected model: every rejected row of a stream. Some broke the contract on receipt; others are well formed, and were
    rejected beside the other rows (classified_deliveries). Both have the columns of the first. -#}
{% macro rejected_rows(stream) %}
    {%- set source_name = streams()[stream].source -%}
    with

    rejected_on_receipt as (

        select
            file,
            line,
            landed_on,
            batch,
            rule,
            raw_text

        from {{ source(source_name, 'rejected_' ~ stream) }}

    ),

    deliveries as (

        {{ classified_deliveries(stream) }}

    ),

    rejected_in_staging as (

        select
            file,
            line,
            landed_on,
            batch,
            outcome as rule,
            {{ as_json(contract_columns(source_name, stream)) }} as raw_text

        from deliveries
        where outcome not in ('accepted', 'exact_repeat')

    ),

    unioned as (

        select * from rejected_on_receipt
        union all
        select * from rejected_in_staging

    )

    select * from unioned
{% endmacro %}
