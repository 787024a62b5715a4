-- The latest choice counts, by receipt. A grant undoes a refusal only if it was received and made after it.
-- No choice was made after it was received, whatever it says. A request to be erased withdraws every consent.
with

consents as (

    select
        member_id,
        purpose,
        granted,
        least(received_at, {{ days_after('landed_on', 1) }}) as received_at,
        least(event_at, received_at, {{ days_after('landed_on', 1) }}) as event_at

    from {{ ref('stg_accounts__consents') }}
    -- A refusal counts as soon as it was received: a past night that is run again must not learn from that
    -- member.
    where
        {{ known_by_as_of('received_at') }}
        or not granted

),

refused as (

    select
        member_id,
        purpose,
        max(event_at) as event_at,
        max(received_at) as received_at

    from consents
    where not granted
    group by
        member_id,
        purpose

),

compared as (

    select
        consents.member_id,
        consents.purpose,
        consents.granted
        and (
            refused.member_id is null
            or (consents.event_at > refused.event_at and consents.received_at >= refused.received_at)
        ) as is_grant_in_force

    from consents

    left join refused
        on
            consents.member_id = refused.member_id
            and consents.purpose = refused.purpose

),

latest as (

    select
        member_id,
        bool_or(is_grant_in_force) filter (where purpose = 'personalisation') as may_personalise,
        bool_or(is_grant_in_force) filter (where purpose = 'insights') as may_use_for_insights,
        bool_or(is_grant_in_force) filter (where purpose = 'marketing') as may_market

    from compared
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
