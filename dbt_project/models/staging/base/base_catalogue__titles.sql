-- Every row of every snapshot, numbered within its day and key: the last to land counts.
{{ config(unique_key='landed_on') }}

with

received as (

    {{ unstaged_rows('catalogue', 'titles', key='landed_on') }}

),

numbered as (

    {{
        numbered_deliveries(
            'catalogue', 'titles', 'received',
            key=['landed_on', 'title_id'],
            by='batch desc, file desc, line desc'
        )
    }}

)

select * from numbered
