{#- As window_steps, for counting what is distinct: of one thing's days in a row only the first enters a
    window and only the last leaves it. Needs `days_since_previous` and `days_until_next`. -#}
{% macro distinct_step(days) -%}
case
    when step_{{ days }}d = 1 and coalesce(days_since_previous, {{ days + 1 }}) > {{ days }} then 1
    when step_{{ days }}d = -1 and coalesce(days_until_next, {{ days + 1 }}) > {{ days }} then -1
    else 0
end
{%- endmacro %}
