-- Impressions and clicks as they happened. To estimate what another policy would have done, weight them by
-- the propensities of the policy that chose.
{{ config(
    materialized='incremental',
    meta={'changed_rows': {'column': 'shown_on', 'clock': 'event', 'member_id': none}}
) }}

with

impressions as (

    select * from {{ ref('stg_playback__impressions') }}
    where
        asset_id is not null
        and {{ is_closed_day('cast(event_at as date)', 'cast(received_at as date)') }}
        and {{ may_be_changed('cast(event_at as date)', 'event', member_id=none) }}

),

members as (

    select * from {{ ref('members') }}
    where may_use_for_insights

),

shown as (

    select
        impressions.member_id,
        impressions.asset_id,
        cast(impressions.event_at as date) as shown_on,
        count(*) as impression_count,
        count(*) filter (where impressions.was_clicked) as click_count

    from impressions

    inner join members
        on impressions.member_id = members.member_id

    group by impressions.member_id, impressions.asset_id, cast(impressions.event_at as date)

),

performance as (

    select

        ---------- dates
        shown_on,

        ---------- ids
        asset_id,

        ---------- numerics
        count(distinct member_id) as member_count,
        {{ suppress_small_cells('impression_count') }} as impression_count,
        {{ suppress_small_cells('click_count') }} as click_count

    from shown
    group by shown_on, asset_id
    having {{ has_enough_members() }}

),

compared as (

    select
        *,
        round(cast(click_count as double) / impression_count, 6) as click_ratio

    from performance

)

select * from compared
