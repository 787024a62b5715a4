{{
    rejected_rows(
        'accounts', 'members',
        judged_deliveries(ref('base_accounts__members'), duplicate='duplicate_key')
    )
}}
