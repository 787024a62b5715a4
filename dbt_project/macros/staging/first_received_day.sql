{#- The first landed day of which `received/` still has rows of a stream, or a day that never comes. What a table has of
    earlier days has expired. -#}
{% macro first_received_day(source_name, stream) %}
    {% if not execute %}
        {{ return('9999-12-31') }}
    {% endif %}
    {% set days = run_query('select min(landed_on) as landed_on from ' ~ source(source_name, stream)) %}
    {{ return(days.columns[0].values()[0] or '9999-12-31') }}
{% endmacro %}
