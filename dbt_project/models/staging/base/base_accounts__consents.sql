-- Every delivery of every choice, numbered by receipt: the first counts.
{{ config(unique_key='event_id') }}

with

received as (

    {{ unstaged_rows('accounts', 'consents', key='event_id') }}

),

numbered as (

    {{
        numbered_deliveries(
            'accounts', 'consents', 'received',
            key=['event_id'],
            by='received_at, file, line'
        )
    }}

)

select * from numbered
