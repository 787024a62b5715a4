{#- What was well formed and still not kept, in the shape of a rejected row. -#}
{% macro refused_deliveries(source_name, stream, judged) %}
    select
        file,
        line,
        landed_on,
        batch,
        verdict as rule,
        {{ as_json(contract_columns(source_name, stream)) }} as raw_text

    from {{ judged }}
    where verdict not in ('kept', 'exact_repeat')
{% endmacro %}
