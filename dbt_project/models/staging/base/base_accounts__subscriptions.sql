-- Every delivery of every change of a subscription, numbered by receipt: the first counts.
{{ staged_deliveries('subscriptions') }}
