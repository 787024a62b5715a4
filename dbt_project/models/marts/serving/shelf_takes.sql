-- A view: it is read once a night, to be written into the release.
{{ config(materialized='view') }}

with

impressions as (

    select
        split_part(impressions.row_kind, ':', 1) as shelf_kind,
        impressions.row_index,
        impressions.column_index,
        impressions.was_clicked

    from {{ ref('stg_playback__impressions') }} as impressions

    inner join {{ ref('members') }} as members
        on
            impressions.member_id = members.member_id
            and members.may_personalise

    where
        {{ known_by_as_of('impressions.received_at') }}
        and impressions.received_at >= {{ as_of() }} - interval 28 day

),

places as (

    select
        row_index,
        column_index,
        avg(cast(was_clicked as int)) as take_ratio

    from impressions
    group by row_index, column_index

),

takes as (

    select

        ---------- text
        impressions.shelf_kind,

        ---------- numerics
        count(*) as impression_count,
        count(*) filter (where impressions.was_clicked) as take_count,
        round(sum(places.take_ratio), 6) as expected_take_count

    from impressions

    inner join places
        on
            impressions.row_index = places.row_index
            and impressions.column_index = places.column_index

    group by impressions.shelf_kind

)

select * from takes
