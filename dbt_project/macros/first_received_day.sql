{#- The first landed day that `received/` still has rows of, or a day that never comes. What a table has of
    the days before was dropped past its retention. -#}
{% macro first_received_day(source_name, stream) %}
    {% if not execute %}
        {{ return('9999-12-31') }}
    {% endif %}
    {% set answer = run_query('select min(landed_on) as landed_on from ' ~ source(source_name, stream)) %}
    {{ return(answer.columns[0].values()[0] or '9999-12-31') }}
{% endmacro %}
