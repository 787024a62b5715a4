"""The only place where a column or stream name that several modules share is spelt."""

MEMBER_ID = "member_id"
TITLE_ID = "title_id"
ASSET_ID = "asset_id"
EVENT_ID = "event_id"
EVENT_AT = "event_at"
RECEIVED_AT = "received_at"
OBSERVED_AT = "observed_at"
RANK = "rank"
SCORE = "score"
ROW_KIND = "row_kind"
REASON = "reason"
SOURCE = "source"

EVENT_STREAMS = (
    "plays",
    "ratings",
    "searches",
    "impressions",
    "subscriptions",
    "consents",
    "privacy_requests",
)
SNAPSHOT_STREAMS = ("titles", "title_windows", "assets", "members")
STREAMS = EVENT_STREAMS + SNAPSHOT_STREAMS

PLACES = 10
"""Ranks 1 to 10: the part of a slate that members see first, and that metrics look at."""

IS_SEEN, IS_INTERACTION, IS_NAMEABLE = 1, 2, 4
"""Bits of what a member did with a title: it is not shown again, it is learned from, and reasons
may name it."""
