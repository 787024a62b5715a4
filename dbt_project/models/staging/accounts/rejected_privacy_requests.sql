{{
    rejected_rows(
        'accounts', 'privacy_requests',
        judged_deliveries(ref('base_accounts__privacy_requests'))
    )
}}
