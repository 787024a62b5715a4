{{ rejected_rows('assets') }}
