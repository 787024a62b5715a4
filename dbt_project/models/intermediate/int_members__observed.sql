-- The instants at which a member's slow features are looked at: each Monday after a week with an act, and
-- as_of. Observing daily would cost seven times the rows to say nearly the same.
with

acts as (

    select distinct
        member_id,
        received_on

    from {{ ref('int_acts__personalised') }}

),

mondays as (

    select distinct
        member_id,
        {{ days_after("cast(date_trunc('week', received_on) as date)", 7) }} as observed_on

    from acts

),

observed as (

    select
        member_id,
        observed_on

    from mondays
    where observed_on <= cast({{ as_of() }} as date)

    union

    select distinct
        member_id,
        cast({{ as_of() }} as date) as observed_on

    from acts

)

select * from observed
