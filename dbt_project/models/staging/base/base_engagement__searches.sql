-- Every delivery of every search, numbered by receipt: the first counts.
{{ staged_deliveries('searches') }}
