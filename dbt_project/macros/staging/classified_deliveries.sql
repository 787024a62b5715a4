{#- The deliveries of a stream with their outcome: accepted, exact_repeat, or the rule they broke. Which members and
    titles are known is looked up in every build: a row that was rejected for an unknown title is accepted once the
    title is known. -#}
{% macro classified_deliveries(stream) %}
    {%- set one = streams()[stream] -%}
    select
        deliveries.*,

        case
            when deliveries.is_exact_repeat then 'exact_repeat'
            when deliveries.delivery_number > 1 then {{ "'duplicate_key'" if one.key else "'duplicate_event_id'" }}
            {%- if one.member_id %}
            -- Without a members stream, every member that has an event is known.
            when
                known_members.member_id is null
                and (select count(*) from {{ ref('known_members') }}) > 0
                then 'unknown_member'
            {%- endif %}
            {%- if one.title_id %}
            when deliveries.{{ one.title_id }} is not null and known_titles.title_id is null
                then 'unknown_title'
            {%- endif %}
            else 'accepted'
        end as outcome

    from {{ ref('base_' ~ one.source ~ '__' ~ stream) }} as deliveries
    {%- if one.member_id %}

    left join {{ ref('known_members') }} as known_members
        on deliveries.{{ one.member_id }} = known_members.member_id
    {%- endif %}
    {%- if one.title_id %}

    left join {{ ref('known_titles') }} as known_titles
        on deliveries.{{ one.title_id }} = known_titles.title_id
    {%- endif %}
{% endmacro %}
