{#- A pre-hook: sets the session variables `parts` (how many parts the model is built in, by how many rows of
    int_member_title_days__summed it reads) and `part` (the first, 0). The arguments are those of may_be_changed. -#}
{% macro set_parts(column, clock) %}
    {%- if target.type == 'duckdb' -%}
    set variable parts = (
        select count(*) // {{ var('title_days_per_part') }} + 1
        from {{ ref('int_member_title_days__summed') }}
        where {{ may_be_changed(column, clock, **kwargs) }}
    );
    set variable part = 0
    {%- endif -%}
{% endmacro %}
