{{
    rejected_rows(
        'playback', 'impressions',
        judged_deliveries(ref('base_playback__impressions'), member_id='member_id', title_id='title_id')
    )
}}
