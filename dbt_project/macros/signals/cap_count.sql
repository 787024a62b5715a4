{#- As many acts of one member on one title in one day as count: the rest say nothing new, and a bot with a
    million plays must not outweigh a thousand members. -#}
{% macro cap_count(count) -%}
least({{ count }}, {{ var('events_per_title_day') }})
{%- endmacro %}
