-- Every row of every snapshot, numbered within its day and key: the last to land counts.
{{ staged_deliveries('members') }}
