{#- True for the version of a title that was known when the day of an event closed; the first version holds for all days
    before it too, or old logs would have none. A later correction does not change a closed day: a film that gets another
    genre must not take its few viewers from one cell to another. -#}
{% macro version_when_closed(versions, happened_on) -%}
{%- set closed_on = days_after(happened_on, var('lateness_days')) -%}
({{ versions }}.version = 1 or {{ versions }}.known_from <= {{ closed_on }})
and ({{ versions }}.known_until is null or {{ closed_on }} < {{ versions }}.known_until)
{%- endmacro %}
