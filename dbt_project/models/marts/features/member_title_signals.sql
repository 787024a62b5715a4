-- The labels. No recency here: how much an act has faded depends on when it is asked about.
with

acts as (

    select * from {{ ref('int_acts__personalised') }}

),

member_title_days as (

    select
        member_id,
        title_id,
        {{ days_after('received_on', 1) }} as observed_on,
        max(event_at) as interacted_at,
        sum(signal_milli) as signal_milli,
        bool_or(is_seen) as is_seen

    from acts
    group by member_id, title_id, received_on

),

capped as (

    select

        ---------- ids
        member_id,
        title_id,

        ---------- numerics
        cast(
            greatest(-({{ signal_milli('cap') }}), least({{ signal_milli('cap') }}, signal_milli))
            as bigint
        ) as signal_milli,

        ---------- booleans
        is_seen,

        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at,
        interacted_at

    from member_title_days

)

select * from capped
