{{ rejected_rows('members') }}
