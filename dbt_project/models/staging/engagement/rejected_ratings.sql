{{
    rejected_rows(
        'engagement', 'ratings',
        judged_deliveries(ref('base_engagement__ratings'), member_id='member_id', title_id='title_id')
    )
}}
