{#- True for events on a closed day that were received before it closed. A day closes lateness_days after it ends, and
    later events do not change it: the difference of two nights must not reveal what one member did. -#}
{% macro is_closed_day(happened_on, received_on) -%}
{{ received_on }} <= {{ days_after(happened_on, var('lateness_days')) }}
and {{ days_after(happened_on, var('lateness_days')) }} < cast({{ as_of() }} as date)
{%- endmacro %}
