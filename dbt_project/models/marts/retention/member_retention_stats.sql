with

members as (

    select * from {{ ref('members') }}
    where may_use_for_insights

),

plays as (

    select
        member_id,
        max(event_at) as last_played_at

    from {{ ref('int_events__weighted') }}
    where event_kind = 'play'
    group by member_id

),

activity as (

    select
        member_id,
        count(distinct received_on) as active_day_count_28d

    from {{ ref('int_events__weighted') }}
    where
        event_kind = 'play'
        and received_on >= {{ days_after('cast(' ~ as_of() ~ ' as date)', -28) }}
    group by member_id

),

subscriptions as (

    select * from {{ ref('int_subscriptions__ordered') }}

),

failures as (

    select
        member_id,
        count(*) as payment_failure_count_90d

    from subscriptions
    where
        kind = 'payment_failed'
        and {{ days_between('cast(event_at as date)', 'cast(' ~ as_of() ~ ' as date)') }} <= 90
    group by member_id

),

-- A failed payment and a change of plan do not change whether a member stays.
standings as (

    select
        member_id,
        kind,
        event_at,

        row_number() over (partition by member_id order by recency_rank) as newest_first

    from subscriptions
    where kind in ('start', 'renew', 'pause', 'resume', 'cancel')

),

joined as (

    select

        ---------- ids
        members.member_id,

        ---------- text
        members.plan,

        ---------- numerics
        greatest(
            0, {{ days_between('members.joined_on', 'cast(' ~ as_of() ~ ' as date)') }}
        ) as tenure_days,
        coalesce(activity.active_day_count_28d, 0) as active_day_count_28d,
        coalesce(failures.payment_failure_count_90d, 0) as payment_failure_count_90d,

        ---------- booleans
        coalesce(standings.kind = 'pause', false) as is_paused,
        coalesce(standings.kind = 'cancel', false) as is_cancelled,

        ---------- timestamps (UTC)
        plays.last_played_at,
        case when standings.kind = 'cancel' then standings.event_at end as cancelled_at

    from members

    left join plays
        on members.member_id = plays.member_id

    left join activity
        on members.member_id = activity.member_id

    left join failures
        on members.member_id = failures.member_id

    left join standings
        on
            members.member_id = standings.member_id
            and standings.newest_first = 1

)

select * from joined
