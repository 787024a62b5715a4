with

windows as (

    select
        *,
        max(landed_on) over () as newest_snapshot_on

    from {{ ref('stg_catalogue__title_windows') }}
    where {{ known_by_as_of('landed_on') }}

),

titles as (

    select title_id from {{ ref('titles') }}

),

newest as (

    select

        ---------- ids
        windows.title_id,

        ---------- text
        windows.country,

        ---------- dates
        windows.starts_on,
        windows.ends_on

    from windows

    inner join titles
        on windows.title_id = titles.title_id

    where windows.landed_on = windows.newest_snapshot_on

)

select * from newest
