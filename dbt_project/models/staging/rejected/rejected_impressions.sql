{{ rejected_rows('impressions') }}
