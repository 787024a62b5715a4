with

windows as (

    select
        *,
        max(landed_on) over () as newest_snapshot_on,
        max(landed_on) over (partition by title_id) as title_snapshot_on

    from {{ ref('stg_catalogue__title_windows') }}
    where {{ known_by_as_of('landed_on') }}

),

titles as (

    select title_id from {{ ref('titles') }}

),

-- A title whose windows have left the snapshot is closed, not open everywhere: exports drop what
-- has expired, and a title without any window at all is one that never had one.
latest as (

    select distinct

        ---------- ids
        windows.title_id,

        ---------- text
        windows.country,

        ---------- dates
        windows.starts_on,
        case
            when windows.title_snapshot_on = windows.newest_snapshot_on then windows.ends_on
            else least(coalesce(windows.ends_on, windows.title_snapshot_on), windows.title_snapshot_on)
        end as ends_on

    from windows

    inner join titles
        on windows.title_id = titles.title_id

    where windows.landed_on = windows.title_snapshot_on

)

select * from latest
