-- Sums over the last 7, 28 and 90 days of arrival, at each instant at which one of them changes. A night
-- goes on from the sums of the night before, so it reads the days that enter or leave a window and no other.
-- Searches and impressions are kept for less long than windows are: only plays and ratings are in them.
{{ config(
    materialized='incremental',
    meta={'changes': {'column': 'observed_on', 'clock': 'observation', 'member_id': 'member_id'}},
    post_hook='{{ insert_other_parts() }}'
) }}

{{ summed_windows(part=0, parts=member_parts()) }}
