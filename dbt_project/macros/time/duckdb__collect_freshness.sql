{#- For `dbt source freshness`: the age of the newest row at as_of, not now, so that a rerun has the same result. -#}
{% macro duckdb__collect_freshness(source, loaded_at_field, filter) -%}
    {% call statement('collect_freshness', fetch_result=True, auto_begin=False) -%}
    select
        cast(max({{ loaded_at_field }}) as timestamp) as max_loaded_at,
        {{ as_of() }} as snapshotted_at
    from {{ source }}
    where {{ known_by_as_of('landed_on') }} {{ 'and ' ~ filter if filter }}
    {%- endcall %}
    {{ return(load_result('collect_freshness')) }}
{%- endmacro %}
