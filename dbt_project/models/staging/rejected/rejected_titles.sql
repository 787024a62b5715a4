{{ rejected_rows('titles') }}
