{#- The rows of the batches not read yet, with the older rows that share a key with one of them: what a
    late delivery can change is decided again, so a night ends as a full refresh would. When rows have
    been dropped, keys that came more than once are decided again too: the first may be among them. -#}
{% macro unstaged_rows(source_name, stream, key) %}
    {%- set columns = ['file', 'line', 'landed_on', 'batch'] + contract_columns(source_name, stream) -%}
    {%- set received -%}
    select {{ columns | join(', ') }}
    from {{ source(source_name, stream) }}
    {%- endset -%}
    {%- if is_incremental() -%}
    {%- set newer = received ~ ' where batch > ' ~ newest_staged_batch() -%}
    {{ newer }}

    union all

    select {{ columns | join(', ') }}
    from {{ this }}
    where
        {{ key }} in (select newer.{{ key }} from ({{ newer }}) as newer)
        {%- if key != 'landed_on' and has_expired_rows(source_name, stream) %}
        or {{ key }} in (select {{ key }} from {{ this }} where delivery_number > 1)
        {%- endif %}
    {%- else -%}
    {{ received }}
    {%- endif -%}
{% endmacro %}
