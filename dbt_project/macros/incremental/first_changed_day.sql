{#- The first day of receipt whose events may count otherwise than in the last build: for rows of one member, or with
    `member_id=none` for sums over members. A date, not a subquery: only with a literal can DuckDB skip older rows. -#}
{% macro first_changed_day(member_id='member_id') %}
    {%- set table = change_table('int_first_days__changed') -%}
    {%- set changes = load_relation(table) if execute else none -%}
    {%- set column = 'first_day' if member_id else 'first_summed_day' -%}
    {%- set query = 'select ' ~ column ~ ' from ' ~ changes -%}
    {{ return(run_query(query).columns[0].values()[0] if changes else modules.datetime.date(1970, 1, 1)) }}
{% endmacro %}
