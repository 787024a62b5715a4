{#- Before a run: deletes from the snapshots every version that ended before the first day of which `received/` still has
    rows: the rows it came from have expired. The version that holds is kept, however old. -#}
{% macro drop_expired_versions() %}
    {%- for stream in ['titles', 'members'] if execute %}
        {%- set versions = adapter.get_relation(target.database, target.schema, 'snap_' ~ stream) %}
        {%- set first = first_received_day(streams()[stream].source, stream) %}
        {%- if versions %}
            {%- do run_query(
                'delete from ' ~ versions ~ " where dbt_valid_to <= cast('" ~ first ~ "' as timestamp)"
            ) %}
        {%- endif %}
    {%- endfor %}
{% endmacro %}
