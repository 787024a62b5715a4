{#- The first day of receipt on which an act, or a sum over members, may differ from what the tables were built
    from. A number, not a subquery: only a literal lets the engine skip what lies before it. -#}
{% macro first_changed_day(member_id='member_id') %}
    {%- set told = changes_of('first_day') -%}
    {%- set changes = load_relation(told) if execute else none -%}
    {%- set asked = 'select ' ~ ('first_day' if member_id else 'first_summed_day') ~ ' from ' ~ changes -%}
    {{ return(run_query(asked).columns[0].values()[0] if changes else modules.datetime.date(1970, 1, 1)) }}
{% endmacro %}
