with

snapshots as (

    select
        *,
        row_number() over (partition by asset_id order by landed_on desc) as newest_first,
        max(landed_on) over () as newest_snapshot_on

    from {{ ref('stg_catalogue__assets') }}
    where {{ known_by_as_of('landed_on') }}

),

titles as (

    select title_id from {{ ref('titles') }}

),

latest as (

    select

        ---------- ids
        snapshots.asset_id,
        snapshots.title_id,

        ---------- text
        snapshots.asset_kind,
        snapshots.digital_source_type,
        snapshots.disclosure_label,

        ---------- lists
        coalesce(snapshots.tags, []) as tags,

        ---------- booleans
        snapshots.landed_on < snapshots.newest_snapshot_on as is_retired

    from snapshots

    inner join titles
        on snapshots.title_id = titles.title_id

    where snapshots.newest_first = 1

)

select * from latest
