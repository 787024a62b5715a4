-- Every delivery of every rating, numbered by receipt: the first counts.
{{ config(unique_key='event_id') }}

with

received as (

    {{ unstaged_rows('engagement', 'ratings', key='event_id') }}

),

numbered as (

    {{
        numbered_deliveries(
            'engagement', 'ratings', 'received',
            key=['event_id'],
            by='received_at, file, line'
        )
    }}

)

select * from numbered
