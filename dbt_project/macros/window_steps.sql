{#- When a day's acts enter a window and when they leave it: +1 the day after they arrived, -1 when the
    window has passed. Summing the steps in order of time gives every window at each instant at which one
    changes, at the cost of one row a step instead of one a day. -#}
{% macro window_steps(windows) %}
    select
        0 as days_later
        {%- for days in windows %},
        1 as step_{{ days }}d
        {%- endfor %}
    {%- for leaving in windows %}

    union all

    select
        {{ leaving }} as days_later
        {%- for days in windows %},
        {{ -1 if days == leaving else 0 }} as step_{{ days }}d
        {%- endfor %}
    {%- endfor %}
{% endmacro %}
