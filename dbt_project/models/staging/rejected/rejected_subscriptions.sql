{{ rejected_rows('subscriptions') }}
