{{
    rejected_rows(
        'playback', 'plays',
        judged_deliveries(ref('base_playback__plays'), member_id='member_id', title_id='title_id')
    )
}}
