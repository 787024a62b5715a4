-- Every delivery of every search, numbered by receipt: the first counts.
{{ config(unique_key='event_id') }}

with

received as (

    {{ unstaged_rows('engagement', 'searches', key='event_id') }}

),

numbered as (

    {{
        numbered_deliveries(
            'engagement', 'searches', 'received',
            key=['event_id'],
            by='received_at, file, line'
        )
    }}

)

select * from numbered
