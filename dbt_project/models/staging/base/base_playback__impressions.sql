-- Every delivery of every impression, numbered by receipt: the first counts.
{{ config(unique_key='event_id') }}

with

received as (

    {{ unstaged_rows('playback', 'impressions', key='event_id') }}

),

numbered as (

    {{
        numbered_deliveries(
            'playback', 'impressions', 'received',
            key=['event_id'],
            by='received_at, file, line'
        )
    }}

)

select * from numbered
