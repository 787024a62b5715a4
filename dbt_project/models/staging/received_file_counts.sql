{%- set outcomes = ['received', 'staged', 'rejected', 'exact_repeat'] -%}

-- A table, so that the tables it counts are read once, by however many queries it is used.
{{ config(materialized='table') }}

with

-- Received rows are counted in the files, the others in the tables: only so can the two differ.
counted as (

    {% for stream, one in streams().items() -%}
    {% set last_stream = loop.last -%}
    {% for outcome, relation in [
        ('received', source(one.source, stream)),
        ('received', source(one.source, 'rejected_' ~ stream)),
        ('staged', ref('stg_' ~ one.source ~ '__' ~ stream)),
        ('rejected', ref('rejected_' ~ stream)),
        ('exact_repeat', ref('base_' ~ one.source ~ '__' ~ stream)),
    ] -%}
    select
        '{{ stream }}' as stream,
        '{{ outcome }}' as outcome,
        file,
        count(*) as row_count
    from {{ relation }}
    {{ 'where is_exact_repeat' if outcome == 'exact_repeat' }}
    group by file
    {{ 'union all' if not (last_stream and loop.last) }}
    {% endfor %}{% endfor %}

),

summed as (

    select
        stream,
        file,
        {% for outcome in outcomes -%}
        cast(coalesce(sum(row_count) filter (where outcome = '{{ outcome }}'), 0) as bigint)
            as {{ outcome }}_count{{ ',' if not loop.last }}
        {% endfor %}
    from counted
    group by stream, file

)

select * from summed
