-- Without a members stream, members are inferred from events. With one, this is empty.
{%- set are_described = has_rows(ref('stg_accounts__members'), where=known_by_as_of('landed_on')) %}
with

events as (

    {% for name in [
        'stg_playback__plays', 'stg_playback__impressions',
        'stg_engagement__ratings', 'stg_engagement__searches',
        'stg_accounts__subscriptions', 'stg_accounts__consents',
    ] -%}
    select
        member_id,
        min(event_at) as first_event_at,
        min(received_at) as first_received_at

    from {{ ref(name) }}
    where
        {{ known_by_as_of('received_at') }}
        and {{ not are_described }}
    group by member_id
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

seen as (

    select
        member_id,
        cast(min(first_event_at) as date) as joined_on,
        {{ days_after('cast(min(first_received_at) as date)', 1) }} as known_from

    from events
    group by member_id

)

select * from seen
