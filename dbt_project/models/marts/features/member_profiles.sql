-- One row for each time that a profile changed: a version from a snapshot, a plan that was bought, or another
-- device that is used most.
with

members as (

    select * from {{ ref('members') }}
    where may_personalise

),

versions as (

    select * from {{ ref('int_members__versioned') }}

),

bought as (

    select
        member_id,
        plan,
        {{ days_after('cast(received_at as date)', 1) }} as known_from,
        event_at,
        event_id

    from {{ ref('int_subscriptions__ordered') }}
    where plan is not null

),

devices as (

    select * from {{ ref('int_main_devices__versioned') }}

),

moments as (

    select
        member_id,
        known_from as observed_on

    from versions

    union

    select
        member_id,
        known_from as observed_on

    from bought

    union

    select
        member_id,
        observed_on

    from devices

),

plans as (

    select
        moments.member_id,
        moments.observed_on,
        bought.plan,

        row_number() over (
            partition by moments.member_id, moments.observed_on
            order by bought.event_at desc, bought.known_from desc, bought.event_id desc
        ) as newest_first

    from moments

    inner join bought
        on
            moments.member_id = bought.member_id
            and moments.observed_on >= bought.known_from

),

joined as (

    select
        moments.member_id,
        moments.observed_on,
        versions.country,
        coalesce(plans.plan, versions.plan) as plan,
        versions.language,
        coalesce(versions.is_kids, false) as is_kids,
        versions.maximum_age,
        devices.main_device,
        versions.joined_on

    from moments

    inner join members
        on moments.member_id = members.member_id

    inner join versions
        on
            moments.member_id = versions.member_id
            and moments.observed_on >= versions.known_from
            and (moments.observed_on < versions.known_until or versions.known_until is null)

    left join plans
        on
            moments.member_id = plans.member_id
            and moments.observed_on = plans.observed_on
            and plans.newest_first = 1

    left join devices
        on
            moments.member_id = devices.member_id
            and moments.observed_on >= devices.observed_on
            and (moments.observed_on < devices.known_until or devices.known_until is null)

),

{% set profile = [
    'country', 'plan', 'language', 'is_kids', 'maximum_age', 'main_device', 'joined_on',
] -%}

compared as (

    select
        *,
        {{ row_struct(profile) }} as content,
        lag({{ row_struct(profile) }}) over moments as previous_content

    from joined
    window moments as (partition by member_id order by observed_on)

),

changed as (

    select

        ---------- ids
        member_id,

        ---------- text
        country,
        plan,
        language,
        main_device,

        ---------- numerics
        maximum_age,

        ---------- booleans
        is_kids,

        ---------- dates
        joined_on,

        ---------- timestamps (UTC)
        cast(observed_on as timestamp) as observed_at

    from compared
    where content is distinct from previous_content

)

select * from changed
