-- Every delivery of every play, numbered by receipt: the first counts.
{{ config(unique_key='event_id') }}

with

received as (

    {{ unstaged_rows('playback', 'plays', key='event_id') }}

),

numbered as (

    {{
        numbered_deliveries(
            'playback', 'plays', 'received',
            key=['event_id'],
            by='received_at, file, line'
        )
    }}

)

select * from numbered
