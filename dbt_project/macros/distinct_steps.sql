{#- As window_steps, for counting what is distinct in a window, from rows that know the days since the one
    before: what comes back within the window does not enter again, and its earlier leaving does not
    happen. Each step: the day, +1 or -1, when it happens, and which rows a night has to read for it. -#}
{% macro distinct_steps(days) %}
    {{ return([
        (days_after('received_on', 1), 1, 'coalesce(days_since_previous > ' ~ days ~ ', true)', {}),
        (days_after('received_on', days + 1), -1, 'true', {'leaves_after': [days]}),
        (
            days_after('received_on', (days + 1) ~ ' - days_since_previous'), 1,
            'days_since_previous <= ' ~ days, {'since_days': days},
        ),
    ]) }}
{% endmacro %}
