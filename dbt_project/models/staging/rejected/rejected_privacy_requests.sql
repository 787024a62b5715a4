{{ rejected_rows('privacy_requests') }}
