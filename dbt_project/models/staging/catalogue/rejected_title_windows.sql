{{
    rejected_rows(
        'catalogue', 'title_windows',
        judged_deliveries(
            ref('base_catalogue__title_windows'), duplicate='duplicate_key', title_id='title_id'
        )
    )
}}
