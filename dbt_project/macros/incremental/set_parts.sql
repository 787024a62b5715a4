{#- A pre-hook: sets the session variables `parts` (how many parts the model is built in, by how many rows of
    int_member_title_days__summed it reads) and `part` (the first, 0). The arguments are those of may_be_changed. -#}
{% macro set_parts(column, clock) %}
    {%- if target.type == 'duckdb' -%}
    set variable parts = (
        select count(*) // {{ var('title_days_per_part') }} + 1
        from {{ ref('int_member_title_days__summed') }}
        where {{ may_be_changed(column, clock, **kwargs) }}
    );
    {%- if clock == 'month' and is_incremental() %}
    {#- insert_other_parts runs after the table has lost the rows that are built again. -#}
    set variable later_members = (
        select list(distinct member_id) from {{ this }}
        where observed_at > cast('{{ first_changed_day() }}' as date)
    );
    {%- endif %}
    set variable part = 0
    {%- endif -%}
{% endmacro %}
