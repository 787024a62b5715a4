-- Every delivery of every request, numbered by receipt: the first counts.
{{ config(unique_key='event_id') }}

with

received as (

    {{ unstaged_rows('accounts', 'privacy_requests', key='event_id') }}

),

numbered as (

    {{
        numbered_deliveries(
            'accounts', 'privacy_requests', 'received',
            key=['event_id'],
            by='received_at, file, line'
        )
    }}

)

select * from numbered
