{#- The first day of receipt on which an act may differ from what the tables were built from. A number, not a
    subquery: only a literal lets the engine skip what lies before it. -#}
{% macro first_changed_day() %}
    {%- set model = ref('int_changes__first_day') -%}
    {%- set changes = load_relation(model) if execute else none -%}
    {%- set asked = 'select first_day from ' ~ changes -%}
    {{ return(run_query(asked).columns[0].values()[0] if changes else modules.datetime.date(1970, 1, 1)) }}
{% endmacro %}
