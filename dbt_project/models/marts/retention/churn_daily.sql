with

changes as (

    select * from {{ ref('int_subscriptions__ordered') }}
    where {{ is_closed_day('cast(event_at as date)', 'cast(received_at as date)') }}

),

members as (

    select * from {{ ref('members') }}
    where may_use_for_insights

),

member_days as (

    select
        changes.member_id,
        cast(changes.event_at as date) as changed_on,
        count(*) filter (where changes.kind = 'start') as start_count,
        count(*) filter (where changes.kind = 'resume') as resume_count,
        count(*) filter (where changes.kind = 'pause') as pause_count,
        count(*) filter (where changes.kind = 'payment_failed') as payment_failure_count,
        count(*) filter (where changes.kind = 'cancel') as cancel_count

    from changes

    inner join members
        on changes.member_id = members.member_id

    group by changes.member_id, cast(changes.event_at as date)

),

counted as (

    select

        ---------- dates
        changed_on,

        ---------- numerics
        count(distinct member_id) as member_count,
        {{ suppress_small_cells('start_count') }} as start_count,
        {{ suppress_small_cells('resume_count') }} as resume_count,
        {{ suppress_small_cells('pause_count') }} as pause_count,
        {{ suppress_small_cells('payment_failure_count') }} as payment_failure_count,
        {{ suppress_small_cells('cancel_count') }} as cancel_count

    from member_days
    group by changed_on
    having {{ has_enough_members() }}

)

select * from counted
