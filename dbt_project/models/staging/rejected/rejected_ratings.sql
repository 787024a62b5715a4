{{ rejected_rows('ratings') }}
