-- Every delivery of every impression, numbered by receipt: the first counts.
{{ staged_deliveries('impressions') }}
