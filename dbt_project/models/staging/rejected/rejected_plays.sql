{{ rejected_rows('plays') }}
