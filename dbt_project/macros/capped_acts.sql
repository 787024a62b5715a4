{#- As many acts of one member on one title in one day as count: the rest say nothing new, and a bot with a
    million plays must not outweigh a thousand members. -#}
{% macro capped_acts(count) -%}
least({{ count }}, {{ var('acts_per_title_day') }})
{%- endmacro %}
