{#- Lets snapshots follow `received/`: a version that ended before the first day that a stream still has rows
    of was said by rows that were dropped. What holds is kept, however old. -#}
{% macro drop_expired_versions() %}
    {%- for source_name, stream in [('catalogue', 'titles'), ('accounts', 'members')] if execute %}
        {%- set versions = adapter.get_relation(target.database, target.schema, 'snap_' ~ stream) %}
        {%- set first = first_received_day(source_name, stream) %}
        {%- if versions %}
            {%- do run_query(
                'delete from ' ~ versions ~ " where dbt_valid_to <= cast('" ~ first ~ "' as timestamp)"
            ) %}
        {%- endif %}
    {%- endfor %}
{% endmacro %}
