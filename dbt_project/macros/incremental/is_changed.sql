{#- The condition of may_be_changed once a model is incremental; data tests and the strategy replace_changed use it
    too. docs/incremental-builds.md has an example. -#}
{% macro is_changed(column, clock, window_days=[], lookback_days=0, member_id='member_id', search_window_days=0) %}
    {%- set first = first_changed_day(member_id) -%}
    {%- set first_day = "cast('" ~ first ~ "' as date)" -%}
    {%- set month = "cast('" ~ first.replace(day=1) ~ "' as date)" -%}
    {%- if first.year == 1970 -%}
        {{ return('true') }}
    {%- endif -%}

    {%- set conditions = [] -%}
    {%- if clock == 'receipt' -%}
        {%- set expired_days = change_table('int_received_days__expired') -%}
        {%- do conditions.append(column ~ ' >= ' ~ days_after(first_day, -lookback_days)) -%}
        {%- if has_rows(expired_days) -%}
            {%- do conditions.append('cast(' ~ column ~ ' as date) in (select received_on from ' ~ expired_days ~ ')') -%}
        {%- endif -%}
    {%- elif clock == 'observation' -%}
        {%- do conditions.append(column ~ ' > ' ~ first_day) -%}
    {%- elif clock == 'month' -%}
        {%- set since_month = column ~ ' > ' ~ days_after(month, -lookback_days) -%}
        {%- if lookback_days or model.resource_type == 'test' -%}
            {%- do conditions.append(since_month) -%}
        {%- else -%}
            {#- Only members with plays or ratings since that day get the month's row anew. -#}
            {%- set active_members -%}
                (
                    select member_id from {{ ref('int_member_title_days__summed') }}
                    where has_play_or_rating and received_on >= {{ first_day }}
                    union all
                    select member_id from {{ this }} where observed_at > {{ first_day }}
                    {%- if target.type == 'duckdb' %}
                    union all
                    select unnest(cast(getvariable('later_members') as varchar[])) as member_id
                    {%- endif %}
                )
            {%- endset -%}
            {%- do conditions.append(column ~ ' > ' ~ first_day) -%}
            {%- do conditions.append('(' ~ since_month ~ ' and member_id in ' ~ active_members ~ ')') -%}
        {%- endif -%}
    {%- elif clock == 'event' -%}
        {#- The days that have closed since the last build, without any new event on them. -#}
        {%- do conditions.append(column ~ ' >= ' ~ days_after(first_day, -var('lateness_days') - 1)) -%}
        {%- do conditions.append(column ~ ' in (select event_on from ' ~ change_table('int_event_days__changed') ~ ')') -%}
    {%- else -%}
        {{ exceptions.raise_compiler_error("no clock " ~ clock ~ ": it is receipt, observation, month or event") }}
    {%- endif -%}

    {%- for days in window_days -%}
        {%- do conditions.append(
            column ~ ' between ' ~ days_after(first_day, -days)
            ~ ' and ' ~ days_after('cast(' ~ as_of() ~ ' as date)', -days - 1)
        ) -%}
    {%- endfor -%}
    {%- if search_window_days -%}
        {%- set expired_days = change_table('int_received_days__expired') -%}
        {%- if has_rows(expired_days, where='had_searches') -%}
            {%- set last_expired = '(select max(received_on) from ' ~ expired_days ~ ' where had_searches)' -%}
            {%- do conditions.append(column ~ ' <= ' ~ days_after(last_expired, search_window_days + 1)) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if member_id -%}
        {%- set changed_members = change_table('int_members__changed') -%}
        {%- if has_rows(changed_members) -%}
            {%- do conditions.append(member_id ~ ' in (select member_id from ' ~ changed_members ~ ')') -%}
        {%- endif -%}
    {%- endif -%}
    {{ return('(' ~ conditions | join(' or ') ~ ')') }}
{% endmacro %}
