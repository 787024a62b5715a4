{#- True for rows that may have changed since the last build; 'true' (all rows) unless the model is incremental.

    column: the date or timestamp by which rows are chosen.
    clock: what the column means: `receipt` (the day an event was received), `observation` (the day from which a row was
    known, one day later), `month` (the same, for tables with one row a month), `event` (the day an event happened).
    window_days: the lengths of sliding windows, for events that are also read on the day they leave one.
    lookback_days: so many days before the first changed day are read too.
    search_window_days: the length of a window over searches. When old searches have expired, the windows that held
    them are summed again.
    member_id: the column that names the member; none for sums over members, which change from the first day on which
    any event of a changed member was received. -#}
{% macro may_be_changed(
    column, clock, window_days=[], lookback_days=0, member_id='member_id', search_window_days=0
) %}
    {%- if not execute -%}
        {#- dbt learns what a model depends on while it parses, when no condition is made yet. -#}
        {%- for name in [
            'int_first_days__changed', 'int_received_days__expired', 'int_members__changed', 'int_event_days__changed',
        ] -%}
            {%- do ref(name) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not is_incremental() -%}
        {{ return('true') }}
    {%- endif -%}
    {{ return(is_changed(column, clock, window_days, lookback_days, member_id, search_window_days)) }}
{% endmacro %}
