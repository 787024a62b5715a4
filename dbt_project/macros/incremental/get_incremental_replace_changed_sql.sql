{#- The incremental strategy `replace_changed`: delete the rows that may have changed, insert what they are now. -#}
{% macro get_incremental_replace_changed_sql(args) %}
    {%- set columns = get_quoted_csv(args.dest_columns | map(attribute='name')) -%}
    {%- set changed = config.get('meta').changed_rows -%}
    {%- set condition = is_changed(
        changed.column, changed.clock,
        member_id=changed.member_id, search_window_days=changed.search_window_days or 0
    ) -%}
    delete from {{ args.target_relation }}
    where {{ condition }};

    insert into {{ args.target_relation }} ({{ columns }})
    select {{ columns }} from {{ args.temp_relation }}
{% endmacro %}
