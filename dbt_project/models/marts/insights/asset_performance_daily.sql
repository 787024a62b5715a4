-- What was shown and what was chosen, as it happened. Not yet what would have happened: the policy chose
-- whom to show what, and an estimate must weigh by its propensities.
with

impressions as (

    select * from {{ ref('stg_playback__impressions') }}
    where
        asset_id is not null
        and {{ known_by_as_of('received_at') }}

),

members as (

    select * from {{ ref('members') }}
    where may_use_for_insights

),

shown as (

    select
        impressions.member_id,
        impressions.asset_id,
        impressions.was_clicked,
        cast(impressions.event_at as date) as shown_on

    from impressions

    inner join members
        on impressions.member_id = members.member_id

),

performance as (

    select

        ---------- dates
        shown_on,

        ---------- ids
        asset_id,

        ---------- numerics
        count(distinct member_id) as member_count,
        count(*) as impression_count,
        count(*) filter (where was_clicked) as click_count,
        round(cast(count(*) filter (where was_clicked) as double) / count(*), 6) as click_ratio

    from shown
    group by shown_on, asset_id
    having {{ at_least_members() }}

)

select * from performance
