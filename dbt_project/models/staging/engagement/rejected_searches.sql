{{
    rejected_rows(
        'engagement', 'searches',
        judged_deliveries(
            ref('base_engagement__searches'), member_id='member_id', title_id='clicked_title_id'
        )
    )
}}
