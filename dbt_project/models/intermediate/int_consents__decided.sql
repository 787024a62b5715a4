-- The latest choice counts, by when it was made. A request to be erased withdraws every consent.
with

consents as (

    select
        event_id,
        member_id,
        purpose,
        granted,
        event_at,
        received_at

    from {{ ref('stg_accounts__consents') }}
    -- A refusal counts as soon as it was received: a past night that is run again must not learn from that
    -- member.
    where
        {{ known_by_as_of('received_at') }}
        or not granted

),

numbered as (

    select
        *,

        row_number() over (
            partition by member_id, purpose
            order by event_at desc, received_at desc, event_id desc
        ) as newest_first

    from consents

),

latest as (

    select
        member_id,
        bool_or(granted) filter (where purpose = 'personalisation') as may_personalise,
        bool_or(granted) filter (where purpose = 'insights') as may_use_for_insights,
        bool_or(granted) filter (where purpose = 'marketing') as may_market

    from numbered
    where newest_first = 1
    group by member_id

),

erased as (

    select distinct member_id
    from {{ ref('stg_accounts__privacy_requests') }}
    where
        kind = 'erase'
        and {{ known_by_as_of('received_at') }}

),

decided as (

    select
        coalesce(latest.member_id, erased.member_id) as member_id,
        erased.member_id is null and latest.may_personalise as may_personalise,
        erased.member_id is null and latest.may_use_for_insights as may_use_for_insights,
        erased.member_id is null and latest.may_market as may_market

    from latest

    full outer join erased
        on latest.member_id = erased.member_id

)

select * from decided
