with

changes as (

    select * from {{ ref('int_subscriptions__ordered') }}

),

members as (

    select * from {{ ref('members') }}
    where may_use_for_insights

),

counted as (

    select

        ---------- dates
        cast(changes.event_at as date) as changed_on,

        ---------- numerics
        count(distinct changes.member_id) as member_count,
        count(*) filter (where changes.kind = 'start') as start_count,
        count(*) filter (where changes.kind = 'resume') as resume_count,
        count(*) filter (where changes.kind = 'pause') as pause_count,
        count(*) filter (where changes.kind = 'payment_failed') as payment_failure_count,
        count(*) filter (where changes.kind = 'cancel') as cancel_count

    from changes

    inner join members
        on changes.member_id = members.member_id

    group by cast(changes.event_at as date)
    having {{ at_least_members('changes.member_id') }}

)

select * from counted
