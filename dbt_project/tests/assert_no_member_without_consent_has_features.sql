-- A failure means that a member without consent to personalisation has a profile. Nothing may be
-- trained or published until it is empty.
{% for table in [
    'member_profiles', 'member_tastes', 'member_activity_stats', 'member_dayparts',
    'member_search_intents', 'member_title_signals',
] -%}
select
    '{{ table }}: a member without consent to personalisation' as failure

from {{ ref(table) }} as features

left join {{ ref('members') }} as members
    on
        features.member_id = members.member_id
        and members.may_personalise

where members.member_id is null
{{ 'union all' if not loop.last }}
{% endfor %}
