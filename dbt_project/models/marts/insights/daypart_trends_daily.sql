with

acts as (

    select
        *,
        {{ daypart('local_event_at') }} as daypart

    from {{ ref('int_acts__weighed') }}
    where
        may_use_for_insights
        and act_kind in ('play', 'rating')

),

trends as (

    select

        ---------- dates
        cast(local_event_at as date) as acted_on,

        ---------- text
        daypart,

        ---------- numerics
        count(distinct member_id) as member_count,
        count(*) filter (where act_kind = 'play') as play_count,
        cast(sum(watched_seconds) as bigint) as watched_seconds,
        count(*) filter (where act_kind = 'rating') as rating_count

    from acts
    group by cast(local_event_at as date), daypart
    having {{ at_least_members() }}

)

select * from trends
