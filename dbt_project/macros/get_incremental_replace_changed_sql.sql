{#- The incremental strategy of whatever may differ: those rows go, and what is true of them now comes. -#}
{% macro get_incremental_replace_changed_sql(args) %}
    {%- set changes = config.get('meta').changes -%}
    {%- set columns = get_quoted_csv(args.dest_columns | map(attribute='name')) -%}
    delete from {{ args.target_relation }}
    where {{ differs(changes.column, changes.clock, member_id=changes.member_id, search_days=changes.search_days or 0) }};

    insert into {{ args.target_relation }} ({{ columns }})
    select {{ columns }} from {{ args.temp_relation }}
{% endmacro %}
