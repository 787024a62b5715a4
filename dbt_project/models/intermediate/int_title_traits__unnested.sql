-- The genres, people and themes of each version of a title, as numbers: grouping millions of rows by text
-- costs three times as much.
with

versions as (

    select * from {{ ref('int_titles__versioned') }}

),

traits as (

    select * from {{ ref('int_traits__numbered') }}

),

described as (

    {% for kind, list in [('genre', 'genres'), ('person', 'people'), ('theme', 'themes')] -%}
    select
        title_id,
        version,
        known_from,
        known_until,
        '{{ kind }}' as trait_kind,
        {{ unnest_list(list) }} as trait

    from versions
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

numbered as (

    select
        described.title_id,
        described.version,
        described.known_from,
        described.known_until,
        traits.kind_number,
        traits.trait_number

    from described

    inner join traits
        on
            described.trait_kind = traits.trait_kind
            and described.trait = traits.trait

)

select * from numbered
