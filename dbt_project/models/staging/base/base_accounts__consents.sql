-- Every delivery of every choice, numbered by receipt: the first counts.
{{ staged_deliveries('consents') }}
