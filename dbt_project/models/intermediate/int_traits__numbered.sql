-- Genres, people and themes that any version of a title names, in order of kind and name.
with

traits as (

    {% for kind, list in [('genre', 'genres'), ('person', 'people'), ('theme', 'themes')] -%}
    select
        '{{ kind }}' as trait_kind,
        {{ unnest_list(list) }} as trait

    from {{ ref('int_titles__versioned') }}
    {{ 'union' if not loop.last }}
    {% endfor %}

),

numbered as (

    select
        cast(row_number() over (order by trait_kind, trait) as integer) as trait_number,
        cast(dense_rank() over (order by trait_kind) as integer) as kind_number,
        trait_kind,
        trait

    from traits

)

select * from numbered
