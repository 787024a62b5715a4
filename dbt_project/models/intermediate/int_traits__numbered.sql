-- Traits as numbers in order of name: grouping millions of rows by text costs three times as much.
with

traits as (

    select distinct
        trait_kind,
        trait

    from {{ ref('int_signals__described') }}

),

numbered as (

    select
        cast(row_number() over (order by trait_kind, trait) as integer) as trait_number,
        trait_kind,
        trait

    from traits

)

select * from numbered
