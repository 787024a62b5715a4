-- From which day of receipt on acts may differ from those that the incremental tables were built from: what
-- arrived since, an as_of that moved, and titles that came, left, or have another runtime. Without a word on
-- the code, as by hand, nothing is taken for built by the same.
{%- set built = as_built('built_through') %}
{%- set asked = 'select newest_batch, as_of, code_sha256 from ' ~ built %}
{%- set through = run_query(asked).rows[0] if built else [-1, none, none] %}
{%- set is_same_code = var('code_sha256') and through[2] == var('code_sha256') %}
{%- if not execute or (built and is_same_code and not flags.FULL_REFRESH) %}

with

changed_titles as (

    select * from {{ ref('int_changes__titles') }}

),

candidates as (

    -- The end of the shorter history: what lies after it is new, or is to be unknown again.
    select
        least(
            cast('{{ through[1] }}' as date),
            cast({{ as_of() }} as date)
        ) as first_day

    union all

    select min(landed_on) as first_day
    from {{ ref('base_catalogue__titles') }}
    where batch > {{ through[0] }}

    union all

    -- The first opinions past their retention: sums over all that is left begin anew.
    select cast('1970-01-01' as date) as first_day
    from {{ ref('int_changes__expired_days') }}
    where had_opinions

    {% for base, title_id in [
        ('base_playback__plays', 'title_id'),
        ('base_playback__impressions', 'title_id'),
        ('base_engagement__ratings', 'title_id'),
        ('base_engagement__searches', 'clicked_title_id'),
    ] -%}
    union all

    select cast(min(received_at) as date) as first_day
    from {{ ref(base) }}
    where batch > {{ through[0] }}

    union all

    select cast(min(received_at) as date) as first_day
    from {{ ref(base) }}
    where
        {{ title_id }} in (select title_id from changed_titles where has_other_acts)
        {%- if base == 'base_playback__plays' %}
        or (
            runtime_seconds is null
            and title_id in (select title_id from changed_titles where has_other_runtime)
        )
        {%- endif %}

    {% endfor %}
),

earliest as (

    select min(first_day) as first_day from candidates

)

select * from earliest
{%- else %}

select cast('1970-01-01' as date) as first_day
{%- endif %}
