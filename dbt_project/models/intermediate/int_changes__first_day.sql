-- From which day of receipt on acts may differ from those that the incremental tables were built from: what
-- arrived since, an as_of that moved, and titles that came, left, or have another runtime. Without a word on
-- the code, as by hand, nothing is taken for built by the same.
{%- set built = as_built('built_through') %}
{%- set through = run_query('from ' ~ built).rows[0] if built else {} %}
{%- set is_same_code = var('code_sha256') and through.get('code_sha256') == var('code_sha256') %}
{%- set since_build = through.get('build_number') or 0 %}
{%- if not execute or (built and is_same_code and not flags.FULL_REFRESH) %}

with

changed_titles as (

    select * from {{ ref('int_changes__titles') }}

),

candidates as (

    -- The end of the shorter history: what lies after it is new, or is to be unknown again.
    select
        least(
            cast('{{ through.as_of }}' as date),
            cast({{ as_of() }} as date)
        ) as first_day

    union all

    select min(landed_on) as first_day
    from {{ ref('base_catalogue__titles') }}
    where batch > {{ through.newest_batch }}

    union all

    -- The first opinions past their retention: sums over all that is left begin anew.
    select cast('1970-01-01' as date) as first_day
    from {{ ref('int_changes__expired_days') }}
    where had_opinions

    {% for base, title_id in bases_of_acts().items() -%}
    union all

    select cast(min(received_at) as date) as first_day
    from {{ ref(base) }}
    where batch > {{ through.newest_batch }}

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

-- Whatever they ever did counts otherwise in what is summed over members.
acts_of_changed as (

    {% for base in bases_of_acts() -%}
    select cast(min(received_at) as date) as first_day
    from {{ ref(base) }}
    where member_id in (select member_id from {{ ref('int_changes__members') }})

    {{ 'union all' if not loop.last }}

    {% endfor %}
),

earliest as (

    select
        min(first_day) as first_day,
        least(min(first_day), (select min(first_day) from acts_of_changed)) as first_summed_day,
        {{ since_build }} as since_build

    from candidates

)

select * from earliest
{%- else %}

select
    cast('1970-01-01' as date) as first_day,
    cast('1970-01-01' as date) as first_summed_day,
    {{ since_build }} as since_build
{%- endif %}
