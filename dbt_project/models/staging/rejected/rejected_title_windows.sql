{{ rejected_rows('title_windows') }}
