{#- The rows of batches that are not staged yet, and the staged rows that share a key with one of them: they are numbered
    again, so that a late delivery ends as a full refresh would. When rows have expired, keys with more than one delivery
    are numbered again too: the first may be among those that left. -#}
{% macro unstaged_rows(source_name, stream, key) %}
    {%- set columns = ['file', 'line', 'landed_on', 'batch'] + contract_columns(source_name, stream) -%}
    {%- set received -%}
    select {{ columns | join(', ') }}
    from {{ source(source_name, stream) }}
    {%- endset -%}
    {%- if not (execute and is_incremental()) -%}
        {{ return(received) }}
    {%- endif -%}

    {%- set expired = "landed_on < cast('" ~ first_received_day(source_name, stream) ~ "' as date)" -%}
    {%- set query -%}
        select coalesce(max(batch), -1), coalesce(bool_or({{ expired }}), false) from {{ this }}
    {%- endset -%}
    {%- set newest_batch, has_expired_rows = run_query(query).rows[0] -%}
    {#- A number, not a subquery: only with a literal can DuckDB skip the folders of the batches before it. -#}
    {%- set newer = received ~ ' where batch > ' ~ (newest_batch | int) -%}
    {{ newer }}

    union all

    select {{ columns | join(', ') }}
    from {{ this }}
    where
        {{ key }} in (select newer.{{ key }} from ({{ newer }}) as newer)
        {%- if key != 'landed_on' and has_expired_rows %}
        or {{ key }} in (select {{ key }} from {{ this }} where delivery_number > 1)
        {%- endif %}
{% endmacro %}
