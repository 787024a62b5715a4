-- The versions of a profile, each from the snapshot that brought it until the snapshot that brings the next.
-- Without a members stream a profile is known from the day after its first event, and has no other values.
{% set profile = ['country', 'plan', 'language', 'is_kids', 'maximum_age', 'joined_on'] -%}

with

snapshots as (

    select
        member_id,
        landed_on,
        {% for column in profile -%}
        {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('stg_accounts__members') }}
    where {{ known_by_as_of('landed_on') }}

),

compared as (

    select
        *,
        {{ row_struct(profile) }} as content,
        lag({{ row_struct(profile) }}) over snapshots as previous_content

    from snapshots
    window snapshots as (partition by member_id order by landed_on)

),

versioned as (

    select
        member_id,
        {% for column in profile -%}
        {{ column }},
        {% endfor -%}
        landed_on as known_from,
        lead(landed_on) over (partition by member_id order by landed_on) as known_until

    from compared
    where content is distinct from previous_content

    union all

    select
        member_id,
        null as country,
        null as plan,
        null as language,
        null as is_kids,
        null as maximum_age,
        joined_on,
        known_from,
        null as known_until

    from {{ ref('int_members__inferred') }}
    where (select count(*) from snapshots) = 0

)

select * from versioned
