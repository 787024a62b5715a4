{#- After a mart of aggregates is built, by its folder's config: fails the build when a cell has too few members, when the
    mart has no `member_count` to see it by, or when it names members. -#}
{% macro require_enough_members() %}
    {%- if execute -%}
        {%- set names = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
        {%- if 'member_id' in names or 'member_count' not in names -%}
            {{ exceptions.raise_compiler_error(
                this.identifier ~ " must have member_count, as `count(distinct member_id) as member_count`, and no "
                ~ "member_id: it is published"
            ) }}
        {%- endif -%}
        {%- set query -%}
            select count(*) filter (where coalesce(member_count, 0) < {{ var('minimum_cell_members') }}), count(*)
            from {{ this }}
        {%- endset -%}
        {%- set small, cells = run_query(query).rows[0] -%}
        {%- if small -%}
            {{ exceptions.raise_compiler_error(
                small ~ " of " ~ cells ~ " cells of " ~ this.identifier ~ " have fewer than "
                ~ var('minimum_cell_members') ~ " members: end its query with `having {{ has_enough_members() }}`"
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
