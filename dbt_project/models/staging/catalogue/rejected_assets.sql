{{
    rejected_rows(
        'catalogue', 'assets',
        judged_deliveries(ref('base_catalogue__assets'), duplicate='duplicate_key', title_id='title_id')
    )
}}
