{#- A pre-hook: deletes from a base table the rows that have expired, and are in `received/` no more. -#}
{% macro drop_expired_rows() %}
    {%- if is_incremental() -%}
        {%- set source_name, stream = (this.identifier | replace('base_', '', 1)).split('__') -%}
    delete from {{ this }}
    where landed_on < cast('{{ first_received_day(source_name, stream) }}' as date)
    {%- endif -%}
{% endmacro %}
