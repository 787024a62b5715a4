{%- set without_record = var('consent_without_record') -%}
{%- if without_record not in ['granted', 'refused'] -%}
    {{ exceptions.raise_compiler_error(
        'consent_without_record must be granted or refused, got ' ~ without_record
    ) }}
{%- endif -%}
{%- set default_consent = 'true' if without_record == 'granted' else 'false' %}

with

snapshots as (

    select
        *,
        row_number() over (partition by member_id order by landed_on desc) as newest_first,
        max(landed_on) over () as newest_snapshot_on

    from {{ ref('stg_accounts__members') }}
    where {{ known_by_as_of('landed_on') }}

),

profiles as (

    select
        member_id,
        joined_on,
        country,
        plan,
        language,
        birth_year,
        gender,
        is_kids,
        maximum_age,
        landed_on < newest_snapshot_on as is_closed

    from snapshots
    where newest_first = 1

    union all

    select
        member_id,
        joined_on,
        null as country,
        null as plan,
        null as language,
        null as birth_year,
        null as gender,
        null as is_kids,
        null as maximum_age,
        false as is_closed

    from {{ ref('int_members__inferred') }}
    where (select count(*) from snapshots) = 0

),

plans as (

    select
        member_id,
        plan

    from {{ ref('int_subscriptions__ordered') }}
    where
        plan is not null
        and recency_rank_of_plan = 1

),

consents as (

    select * from {{ ref('int_consents__decided') }}

),

joined as (

    select

        ---------- ids
        profiles.member_id,

        ---------- text
        profiles.country,
        coalesce(plans.plan, profiles.plan) as plan,
        profiles.language,
        profiles.gender,

        ---------- numerics
        profiles.birth_year,
        profiles.maximum_age,

        ---------- booleans
        profiles.is_closed,
        coalesce(profiles.is_kids, false) as is_kids,
        coalesce(consents.may_personalise, {{ default_consent }}) as may_personalise,
        coalesce(consents.may_use_for_insights, {{ default_consent }})
            as may_use_for_insights,
        coalesce(consents.may_market, {{ default_consent }}) as may_market,

        ---------- dates
        profiles.joined_on

    from profiles

    left join plans
        on profiles.member_id = plans.member_id

    left join consents
        on profiles.member_id = consents.member_id

)

select * from joined
