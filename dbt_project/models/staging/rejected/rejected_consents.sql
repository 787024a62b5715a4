{{ rejected_rows('consents') }}
