{#- A count of events of one member on one title and day, capped: a bot with a million plays must not outweigh a
    thousand members. -#}
{% macro cap_count(count) -%}
least({{ count }}, {{ var('events_per_title_day') }})
{%- endmacro %}
