{{ rejected_rows('searches') }}
