{#- True for rows that may differ from what was built: all of them unless the model is incremental.

    clock: what `column` says: `receipt` (the day an act reached the service), `observation` (the day from
    which a row was knowable, the one after), `month` (the same, of rows that stand for a month), or
    `event` (the day it happened).
    leaves_after: the lengths of windows, for acts that also count on the day on which they leave one.
    since_days: how many days before the first that differs are read as well.
    search_days: the length of a window over searches: without the days that were dropped past their retention,
    those that follow are summed again.
    member_id: the column that names the member, or none for sums over members: those differ from the first day
    on which any act of a changed member arrived. -#}
{% macro may_differ(column, clock, leaves_after=[], since_days=0, member_id='member_id', search_days=0) %}
    {%- if not execute -%}
        {#- Named while dbt reads the project, for it must know what a model waits for. -#}
        {%- for changes in ['first_day', 'expired_days', 'members', 'event_days'] -%}
            {%- do ref('int_changes__' ~ changes) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(differs(column, clock, leaves_after, since_days, member_id, search_days) if is_incremental() else 'true') }}
{% endmacro %}
