{#- The instant the tables are built for, as a literal. By hand, without the var: the end of the newest landed day, as
    on the command line. -#}
{% macro as_of() %}
    {%- set given = var('as_of') -%}
    {%- if given is none and execute -%}
        {%- set newest -%}
            select max(landed_on) from (
                {% for source_name, stream in [('catalogue', 'titles'), ('playback', 'plays'), ('engagement', 'ratings')] -%}
                select max(landed_on) as landed_on from {{ source(source_name, stream) }}
                {{ 'union all' if not loop.last }}
                {% endfor -%}
            ) as days
        {%- endset -%}
        {%- set day = run_query(newest).columns[0].values()[0] -%}
        {%- if day is none -%}
            {{ exceptions.raise_compiler_error("no rows were received, so there is no as_of: pass --vars '{as_of: 2026-02-01}', or receive some logs first") }}
        {%- endif -%}
        {%- set given = (day + modules.datetime.timedelta(days=1)).isoformat() -%}
    {%- endif -%}
cast('{{ given }}' as timestamp)
{%- endmacro %}
