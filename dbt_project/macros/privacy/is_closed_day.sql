{#- True for what happened on a day that is over, and that reached the service before it was. Days close
    lateness_days after they end, and never change by what comes later: two nights side by side must not
    say what one member did. -#}
{% macro is_closed_day(happened_on, received_on) -%}
{{ received_on }} <= {{ days_after(happened_on, var('lateness_days')) }}
and {{ days_after(happened_on, var('lateness_days')) }} < cast({{ as_of() }} as date)
{%- endmacro %}
