-- Every row of every snapshot, numbered within its day and key: the last to land counts.
{{ config(unique_key='landed_on') }}

with

received as (

    {{ unstaged_rows('catalogue', 'title_windows', key='landed_on') }}

),

numbered as (

    {{
        numbered_deliveries(
            'catalogue', 'title_windows', 'received',
            key=['landed_on', 'title_id', 'country', 'starts_on', 'ends_on'],
            by='batch desc, file desc, line desc'
        )
    }}

)

select * from numbered
