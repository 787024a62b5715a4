{{
    rejected_rows(
        'catalogue', 'titles',
        judged_deliveries(ref('base_catalogue__titles'), duplicate='duplicate_key')
    )
}}
