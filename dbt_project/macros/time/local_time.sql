{#- The member's clock at an instant; UTC where the offset is unknown. -#}
{% macro local_time(instant, offset_minutes) %}{{ return(adapter.dispatch('local_time')(instant, offset_minutes)) }}{% endmacro %}

{% macro default__local_time(instant, offset_minutes) %}{{ instant }} + make_dt_interval(0, 0, coalesce({{ offset_minutes }}, 0)){% endmacro %}

{% macro duckdb__local_time(instant, offset_minutes) %}{{ instant }} + to_minutes(coalesce({{ offset_minutes }}, 0)){% endmacro %}
