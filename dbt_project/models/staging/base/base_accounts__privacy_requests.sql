-- Every delivery of every request, numbered by receipt: the first counts.
{{ staged_deliveries('privacy_requests') }}
