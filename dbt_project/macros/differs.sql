{#- The condition of may_differ in a model that is incremental. -#}
{% macro differs(column, clock, leaves_after=[], since_days=0, member_id='member_id', search_days=0) %}
    {%- set first = first_changed_day(member_id) -%}
    {%- set first_day = "cast('" ~ first ~ "' as date)" -%}
    {%- set month = "cast('" ~ first.replace(day=1) ~ "' as date)" -%}
    {%- if first.year == 1970 -%}
        {{ return('true') }}
    {%- endif -%}

    {%- set conditions = [] -%}
    {%- if clock == 'receipt' -%}
        {%- do conditions.append(column ~ ' >= ' ~ days_after(first_day, -since_days)) -%}
        {%- if has_rows(changes_of('expired_days')) -%}
            {%- do conditions.append('cast(' ~ column ~ ' as date) in (select received_on from ' ~ changes_of('expired_days') ~ ')') -%}
        {%- endif -%}
    {%- elif clock == 'observation' -%}
        {%- do conditions.append(column ~ ' > ' ~ first_day) -%}
    {%- elif clock == 'month' -%}
        {%- set since_month = column ~ ' > ' ~ days_after(month, -since_days) -%}
        {%- if since_days or model.resource_type == 'test' -%}
            {%- do conditions.append(since_month) -%}
        {%- else -%}
            {%- do conditions.append(column ~ ' > ' ~ first_day) -%}
            {%- do conditions.append('(' ~ since_month ~ ' and member_id in ' ~ acted_since(first_day) ~ ')') -%}
        {%- endif -%}
    {%- elif clock == 'event' -%}
        {#- A day is told when it has closed, which the passing of others brings about. -#}
        {%- do conditions.append(column ~ ' >= ' ~ days_after(first_day, -var('lateness_days') - 1)) -%}
        {%- do conditions.append(column ~ ' in (select event_on from ' ~ changes_of('event_days') ~ ')') -%}
    {%- else -%}
        {{ exceptions.raise_compiler_error("no clock " ~ clock) }}
    {%- endif -%}
    {%- for days in leaves_after -%}
        {%- do conditions.append(
            column ~ ' between ' ~ days_after(first_day, -days)
            ~ ' and ' ~ days_after('cast(' ~ as_of() ~ ' as date)', -days - 1)
        ) -%}
    {%- endfor -%}
    {%- if search_days and has_rows(changes_of('expired_days'), where='had_searches') -%}
        {%- set dropped = '(select max(received_on) from ' ~ changes_of('expired_days') ~ ' where had_searches)' -%}
        {%- do conditions.append(column ~ ' <= ' ~ days_after(dropped, search_days + 1)) -%}
    {%- endif -%}
    {%- if member_id and has_rows(changes_of('members')) -%}
        {%- do conditions.append(member_id ~ ' in (select member_id from ' ~ changes_of('members') ~ ')') -%}
    {%- endif -%}
    {{ return('(' ~ conditions | join(' or ') ~ ')') }}
{% endmacro %}
