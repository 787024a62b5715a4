{#- Deliveries with a verdict: kept, exact_repeat, or the rule they broke. Whom and what we know is asked
    anew each time: a row set aside for an unknown title is retried by being looked at again. -#}
{% macro judged_deliveries(base, duplicate='duplicate_event_id', member_id=none, title_id=none) %}
    select
        deliveries.*,

        case
            when deliveries.is_exact_repeat then 'exact_repeat'
            when deliveries.delivery_number > 1 then '{{ duplicate }}'
            {%- if member_id %}
            -- Without a members stream everyone is known by their acts.
            when
                known_members.member_id is null
                and (select count(*) from {{ ref('known_members') }}) > 0
                then 'unknown_member'
            {%- endif %}
            {%- if title_id %}
            when deliveries.{{ title_id }} is not null and known_titles.title_id is null
                then 'unknown_title'
            {%- endif %}
            else 'kept'
        end as verdict

    from {{ base }} as deliveries
    {%- if member_id %}

    left join {{ ref('known_members') }} as known_members
        on deliveries.{{ member_id }} = known_members.member_id
    {%- endif %}
    {%- if title_id %}

    left join {{ ref('known_titles') }} as known_titles
        on deliveries.{{ title_id }} = known_titles.title_id
    {%- endif %}
{% endmacro %}
