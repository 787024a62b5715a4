-- Of whomever: a choice must hold when its member comes back, long after the last snapshot that had them.
{{
    rejected_rows(
        'accounts', 'consents',
        judged_deliveries(ref('base_accounts__consents'))
    )
}}
