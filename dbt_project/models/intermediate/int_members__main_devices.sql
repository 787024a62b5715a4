-- The device most used in the last 90 days, at each instant at which a member is observed.
with

observed as (

    select * from {{ ref('int_members__observed') }}

),

device_days as (

    select
        member_id,
        device,
        received_on,
        count(*) as act_count

    from {{ ref('int_acts__personalised') }}
    where device is not null
    group by member_id, device, received_on

),

ranked as (

    select
        observed.member_id,
        observed.observed_on,
        device_days.device,

        row_number() over (
            partition by observed.member_id, observed.observed_on
            order by sum(device_days.act_count) desc, device_days.device
        ) as device_rank

    from observed

    inner join device_days
        on
            observed.member_id = device_days.member_id
            and observed.observed_on > device_days.received_on
            and observed.observed_on <= {{ days_after('device_days.received_on', 90) }}

    group by observed.member_id, observed.observed_on, device_days.device

),

main as (

    select
        member_id,
        observed_on,
        device as main_device,
        lead(observed_on) over (partition by member_id order by observed_on) as known_until

    from ranked
    where device_rank = 1

)

select * from main
