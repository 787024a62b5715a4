-- Members whose events of all days may count otherwise than in the last build: they are new, left, or changed
-- a consent.
{%- set built = previous_build('last_build_members') %}

with

members as (

    select
        member_id,
        may_personalise,
        may_use_for_insights

    from {{ ref('members') }}

),

built as (

    {% if built -%}
    select * from {{ built }}
    {%- else -%}
    select * from members where false
    {%- endif %}

),

changed as (

    select coalesce(members.member_id, built.member_id) as member_id

    from members

    full outer join built
        on members.member_id = built.member_id

    where
        members.may_personalise is distinct from built.may_personalise
        or members.may_use_for_insights is distinct from built.may_use_for_insights

)

select * from changed
