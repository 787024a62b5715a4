{#- True for rows that may have changed since the last build that passed all tests; 'true' when there is none of the
    same code.

    column, clock, member_id, search_window_days: as in may_be_changed; or clock `batch`, for rows that name the batch
    they were received in.
    shared_columns: rows that share a value of one of these columns with a changed row are tested too. For keys that
    do not hold `column`: a new row can have the key of an old one. -#}
{% macro changed_since_tested(relation, column, clock, member_id=none, search_window_days=0, shared_columns=[]) %}
    {%- set tested = adapter.get_relation(target.database, target.schema, 'last_tested_build') -%}
    {%- set query -%}
        select newest_batch, build_number from {{ tested }} where code_sha256 = '{{ var("code_sha256") }}'
    {%- endset -%}
    {%- set rows = run_query(query).rows if tested and var('code_sha256') and not flags.FULL_REFRESH else [] -%}
    {%- if not rows -%}
        {{ return('true') }}
    {%- endif -%}

    {%- set newest_batch, build_number = rows[0] -%}
    {%- set first_days = change_table('int_first_days__changed') -%}
    {%- if clock == 'batch' -%}
        {%- set condition = column ~ ' > ' ~ newest_batch -%}
    {%- elif run_query('select since_build from ' ~ first_days).rows[0][0] == build_number -%}
        {%- set condition = is_changed(column, clock, member_id=member_id, search_window_days=search_window_days) -%}
    {%- else -%}
        {%- set condition = 'true' -%}
    {%- endif -%}
    {%- if not shared_columns or condition == 'true' -%}
        {{ return(condition) }}
    {%- endif -%}

    {%- set conditions = [] -%}
    {%- for shared in shared_columns -%}
        {%- do conditions.append(shared ~ ' in (select ' ~ shared ~ ' from ' ~ relation ~ ' where ' ~ condition ~ ')') -%}
    {%- endfor -%}
    {{ return(conditions | join(' or ')) }}
{% endmacro %}
