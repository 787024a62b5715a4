{#- Whether this base table still has rows that were dropped from `received/`. -#}
{% macro has_expired_rows(source_name, stream) %}
    {% if not execute %}
        {{ return(false) }}
    {% endif %}
    {% set expired = "landed_on < cast('" ~ first_received_day(source_name, stream) ~ "' as date)" %}
    {% set answer = run_query('select count(*) as n from ' ~ this ~ ' where ' ~ expired) %}
    {{ return(answer.columns[0].values()[0] > 0) }}
{% endmacro %}
