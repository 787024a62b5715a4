{#- Every rejected row of a stream: what broke the contract on receipt, and what was well formed and is
    still not kept, both in the shape of the first. -#}
{% macro rejected_rows(source_name, stream, judged) %}
    with

    refused_on_receipt as (

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

        {{ judged }}

    ),

    refused_in_context as (

        select
            file,
            line,
            landed_on,
            batch,
            verdict as rule,
            {{ as_json(contract_columns(source_name, stream)) }} as raw_text

        from deliveries
        where verdict not in ('kept', 'exact_repeat')

    ),

    unioned as (

        select * from refused_on_receipt
        union all
        select * from refused_in_context

    )

    select * from unioned
{% endmacro %}
