-- Every delivery of every rating, numbered by receipt: the first counts.
{{ staged_deliveries('ratings') }}
