-- Changes of subscriptions known by as_of, newest first within each member.
with

subscriptions as (

    select
        event_id,
        member_id,
        kind,
        plan,
        event_at,
        received_at

    from {{ ref('stg_accounts__subscriptions') }}
    where {{ known_by_as_of('received_at') }}

),

ordered as (

    select
        *,

        row_number() over newest_first as recency_rank,
        row_number() over (
            partition by member_id, plan is not null
            order by event_at desc, received_at desc, event_id desc
        ) as recency_rank_of_plan

    from subscriptions
    window newest_first as (
        partition by member_id
        order by event_at desc, received_at desc, event_id desc
    )

)

select * from ordered
