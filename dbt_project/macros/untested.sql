{#- The condition on which a row may differ from those tested the night before.

    clock: `batch` for what stages rows, or one of may_differ.
    shares_key: whether what has the first column of the key in common with such a row is tested with it: for
    keys that `column` is not part of. -#}
{% macro untested(relation, column, clock, member_id=none, shares_key=false, search_days=0) %}
    {%- set tested = adapter.get_relation(target.database, target.schema, 'built_and_tested') -%}
    {%- set asked = "select newest_batch, build_number from " ~ tested ~ " where code_sha256 = '" ~ var('code_sha256') ~ "'" -%}
    {%- set found = run_query(asked).rows if tested and var('code_sha256') and not flags.FULL_REFRESH else [] -%}
    {%- if not found -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set newest_batch, build_number = found[0] -%}
    {%- if clock == 'batch' -%}
        {%- set condition = column ~ ' > ' ~ newest_batch -%}
    {%- elif run_query('select since_build from ' ~ changes_of('first_day')).rows[0][0] == build_number -%}
        {%- set condition = differs(column, clock, member_id=member_id, search_days=search_days) -%}
    {%- else -%}
        {%- set condition = 'true' -%}
    {%- endif -%}
    {%- if shares_key and condition != 'true' -%}
        {%- set key = model.test_metadata.kwargs.columns[0] -%}
        {%- set condition = key ~ ' in (select ' ~ key ~ ' from ' ~ relation ~ ' where ' ~ condition ~ ')' -%}
    {%- endif -%}
    {{ return(condition) }}
{% endmacro %}
