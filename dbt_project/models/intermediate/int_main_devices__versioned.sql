-- The device most used in the last 90 days, one row for each time that it changes.
with

changes as (

    select
        member_id,
        observed_on,
        main_device,
        lead(observed_on) over (partition by member_id order by observed_on) as known_until

    from {{ ref('int_members__windowed') }}
    where is_new_device

)

select * from changes
