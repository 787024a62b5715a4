{{
    rejected_rows(
        'accounts', 'subscriptions',
        judged_deliveries(ref('base_accounts__subscriptions'), member_id='member_id')
    )
}}
