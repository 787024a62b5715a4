-- Every delivery of every change of a subscription, numbered by receipt: the first counts.
{{ config(unique_key='event_id') }}

with

received as (

    {{ unstaged_rows('accounts', 'subscriptions', key='event_id') }}

),

numbered as (

    {{
        numbered_deliveries(
            'accounts', 'subscriptions', 'received',
            key=['event_id'],
            by='received_at, file, line'
        )
    }}

)

select * from numbered
