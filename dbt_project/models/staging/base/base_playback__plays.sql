-- Every delivery of every play, numbered by receipt: the first counts.
{{ staged_deliveries('plays') }}
