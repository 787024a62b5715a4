-- From which day of receipt on events may count otherwise than in the incremental tables: those that arrived
-- since the last build, those of a time between the last as_of and this one, and those of titles that came,
-- left or have another runtime. Without code_sha256, as by hand, everything is built again.
-- depends on {{ ref('received_file_counts') }}: nothing is built on staged rows that failed their tests.
{%- set last = previous_build('last_build') %}
{%- set erased_days = previous_build('erased_days') %}
{%- set values = run_query('from ' ~ last).rows[0] if last else {} %}
{%- set is_same_code = var('code_sha256') and values.get('code_sha256') == var('code_sha256') %}
{%- set since_build = values.get('build_number') or 0 %}
{%- if not execute or (last and is_same_code and not flags.FULL_REFRESH) %}

with

changed_titles as (

    select * from {{ ref('int_titles__changed') }}

),

candidates as (

    -- The end of the shorter history: what lies after it is new, or must not be known now.
    select
        least(
            cast('{{ values.as_of }}' as date),
            cast({{ as_of() }} as date)
        ) as first_day

    union all

    select min(landed_on) as first_day
    from {{ ref('base_catalogue__titles') }}
    where batch > {{ values.newest_batch }}

    union all

    -- Plays or ratings have expired: the sums over what is left are built again.
    select cast('1970-01-01' as date) as first_day
    from {{ ref('int_received_days__expired') }}
    where had_plays_or_ratings

    {% for base, title_id in event_tables().items() -%}
    union all

    select cast(min(received_at) as date) as first_day
    from {{ ref(base) }}
    where batch > {{ values.newest_batch }}

    union all

    select cast(min(received_at) as date) as first_day
    from {{ ref(base) }}
    where
        {{ title_id }} in (select title_id from changed_titles where has_changed_events)
        {%- if base == 'base_playback__plays' %}
        or (
            runtime_seconds is null
            and title_id in (select title_id from changed_titles where has_changed_runtime)
        )
        {%- endif %}

    {% endfor %}
),

-- All events of a changed member count otherwise in sums over members.
events_of_changed as (

    {% for base in event_tables() -%}
    select cast(min(received_at) as date) as first_day
    from {{ ref(base) }}
    where member_id in (select member_id from {{ ref('int_members__changed') }})

    {{ 'union all' if not loop.last }}

    {% endfor %}
    {%- if erased_days %}
    union all

    -- Of erased members only the days are left.
    select min(received_on) as first_day from {{ erased_days }}
    {%- endif %}
),

earliest as (

    select
        min(first_day) as first_day,
        least(min(first_day), (select min(first_day) from events_of_changed)) as first_summed_day,
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
