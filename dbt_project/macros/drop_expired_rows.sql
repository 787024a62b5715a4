{#- Lets a base table follow `received/`: rows that were dropped there leave here. -#}
{% macro drop_expired_rows() %}
    {%- if is_incremental() -%}
        {%- set source_name, stream = (this.identifier | replace('base_', '', 1)).split('__') -%}
    delete from {{ this }}
    where landed_on < cast('{{ first_received_day(source_name, stream) }}' as date)
    {%- endif -%}
{% endmacro %}
